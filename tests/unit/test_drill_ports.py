"""The ports of a stack of one's own: free, never given twice, and never those of connections."""

import socket
from pathlib import Path

from drill.stack import free_ports

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_no_port_is_one_that_the_system_gives_to_a_connection() -> None:
    least, most = map(int, RANGE.read_text(encoding="ascii").split())
    assert not set(free_ports(200)) & set(range(least, most + 1))


def test_none_is_given_twice_and_none_that_is_held() -> None:
    first = free_ports(20)
    with socket.socket() as held:
        held.bind(("127.0.0.1", first[-1] + 1))
        held.listen()
        then = free_ports(20)
    assert len({*first, *then}) == 40
    assert first[-1] + 1 not in then
