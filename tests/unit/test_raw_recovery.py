"""What an agent left open: how the listing is read and names are made final."""

from pathlib import Path
from typing import Any

import pytest

from flume.recovery import final_name, open_files, recover
from pipeline.places import RAW, Places

LISTING = """Client Host         \tClient Name         \tOpen File Path
127.0.0.1           \tDFSClient_NONMAPREDUCE_7_1\t/data/raw/orders/dt=2026-11-24/.orders.17.log.tmp
127.0.0.1           \tDFSClient_NONMAPREDUCE_7_1\t/data/raw/orders/dt=2026-11-24/orders.16.log
"""


class Store:
    """HDFS raw, as far as a recovery asks for it; `listed` are the dates that it has looked at."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.listed: list[str] = []

    def open(self, day: str) -> None:
        self.files.add(f"{RAW}/dt={day}/.orders.1.log.tmp")

    def names(self, folder: str) -> list[str]:
        if folder != RAW:
            self.listed.append(folder.removeprefix(f"{RAW}/dt="))
        inside = [path.removeprefix(f"{folder}/") for path in self.files]
        return sorted({rest.split("/")[0] for rest in inside if not rest.startswith("/")})

    def rename(self, source: str, target: str) -> None:
        self.files.remove(source)
        self.files.add(target)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "flume").mkdir()
    return Places(tmp_path)


def recovered(store: Any, places: Places) -> list[str]:
    """Recover; gives the dates whose file got its name."""
    store.listed.clear()
    names = recover(store, lambda *_: "", places)
    assert all(name.endswith("/orders.1.log") for name in names)
    return [name.removeprefix(f"{RAW}/dt=").split("/")[0] for name in names]


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


def test_only_what_the_last_agent_may_have_left_is_listed(places: Places) -> None:
    store = Store()
    assert recovered(store, places) == []
    days = [f"2026-11-{day:02}" for day in range(1, 25)]
    for day in days:
        store.open(day)
    assert recovered(store, places) == days
    assert recovered(store, places) == []
    assert store.listed == days[-1:]
    # an agent that lived for a week, and could not rename a file on its first day
    week = [f"2026-11-{day:02}" for day in range(24, 31)]
    for day in week:
        store.files.add(f"{RAW}/dt={day}/orders.0.log")
    store.open(week[0])
    assert recovered(store, places) == week[:1]
    assert store.listed == week


def test_a_marker_that_was_torn_lets_more_be_listed(places: Places) -> None:
    store = Store()
    for day in ("2026-10-09", "2026-11-24"):
        store.open(day)
    (places.positions.parent / "recovered").write_text("2026-1")
    assert recovered(store, places) == ["2026-10-09", "2026-11-24"]
