"""What an agent left open: how the listing is read, and which names are made final."""

from flume.recovery import final_name, open_files

LISTING = """Client Host         \tClient Name         \tOpen File Path
127.0.0.1           \tDFSClient_NONMAPREDUCE_7_1\t/data/raw/orders/dt=2026-11-24/.orders.17.log.tmp
127.0.0.1           \tDFSClient_NONMAPREDUCE_7_1\t/data/raw/orders/dt=2026-11-24/orders.16.log
"""


def test_open_files_are_read_from_the_listing() -> None:
    assert open_files(LISTING) == [
        "/data/raw/orders/dt=2026-11-24/.orders.17.log.tmp",
        "/data/raw/orders/dt=2026-11-24/orders.16.log",
    ]
    assert open_files("Client Host\tClient Name\tOpen File Path\n") == []


def test_only_files_in_use_get_another_name() -> None:
    assert final_name(".orders.17.log.tmp") == "orders.17.log"
    assert final_name("orders.16.log") is None
    assert final_name(".other.tmp") is None
