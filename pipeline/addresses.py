"""Addresses of servers: our own ones listen on loopback, given ones wherever a setting says."""

import re
from typing import Final, NamedTuple, Self

LOOPBACK: Final = "127.0.0.1"
"""Where every server of our own listens, and nowhere else, unless it has a container."""
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104  # of a container, whose ports are published on loopback
EMBEDDED: Final = "embedded"
"""In the place of an address: the server of our own, which `up` starts."""
LOCAL: Final = (LOOPBACK, "localhost")

_ADDRESS: Final = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?):([0-9]{1,5})")


class Address(NamedTuple):
    """Host (a name or IPv4) and port of a server."""

    host: str
    port: int

    def __str__(self) -> str:
        """Give `host:port`."""
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `host:port`; raises ValueError with words for the user."""
        found = _ADDRESS.fullmatch(text)
        if found is None or not 0 < int(found[2]) < 65_536:
            raise ValueError(f"has to be {EMBEDDED} or host:port, with a port from 1 to 65535")
        return cls(found[1], int(found[2]))


def parse_all(text: str) -> list[Address]:
    """Read `host:port,host:port…`; raises ValueError with words for the user."""
    return [Address.parse(one) for one in text.split(",")]
