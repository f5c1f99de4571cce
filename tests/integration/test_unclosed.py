"""Raw files that an agent has failed to close are told from the one that it writes."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from cluster.asking import HasEnded
from drill.stack import OwnStack
from flume.unclosed import MARGIN_MS, ROLL_MARGIN_MS, ROLL_MS, Unclosed, unclosed
from pipeline.stores.raw import raw_folders, read_raw
from pipeline.webhdfs import Hdfs, superuser_of

TODAY = date(2026, 11, 30)
NOW = int(datetime.combine(TODAY, time(12), tzinfo=UTC).timestamp() * 1000)
SECOND = 1000


class Raw:
    """Files of a folder that is like HDFS raw, each with the time of its beginning."""

    def __init__(self, hdfs: Hdfs, root: str) -> None:
        self.hdfs, self.root = hdfs, root

    def begin(self, name: str, ago_ms: int, day: str = "2026-11-30") -> str:
        path = f"{self.root}/dt={day}/{name}"
        self.hdfs.write(path, b"line\n")
        self.hdfs._call("set_times", path, modification_time=NOW - ago_ms)
        return path

    def late(self) -> list[str]:
        return unclosed(self.hdfs, NOW, self.root)


@pytest.fixture
def raw(quiet_stack: OwnStack) -> Iterator[Raw]:
    hdfs, root = superuser_of(quiet_stack.settings), f"/data/unclosed-{uuid.uuid4().hex}"
    hdfs.make_folder(root)
    yield Raw(hdfs, root)
    hdfs.delete(root)


def test_the_one_that_is_written_is_left_alone(raw: Raw) -> None:
    assert raw.late() == []
    raw.begin("orders.1.log", 10 * ROLL_MS)
    raw.begin(".orders.2.log.tmp", ROLL_MS)
    assert raw.late() == []


def test_one_beside_a_newer_one_was_not_closed(raw: Raw) -> None:
    old = raw.begin(".orders.1.log.tmp", 20 * 60 * SECOND)
    raw.begin(".orders.2.log.tmp", MARGIN_MS - SECOND)
    assert raw.late() == [], "it may be about to be closed"
    raw.begin(".orders.2.log.tmp", MARGIN_MS + SECOND)
    assert raw.late() == [old]


def test_one_beside_a_later_one_that_is_closed_was_not_closed(raw: Raw) -> None:
    """As where NameNode and DataNode died at once, and few lines came since."""
    old = raw.begin(".orders.1.log.tmp", 20 * 60 * SECOND)
    raw.begin("orders.2.log", MARGIN_MS - SECOND)
    assert raw.late() == []
    raw.begin("orders.2.log", MARGIN_MS + SECOND)
    assert raw.late() == [old]
    raw.begin(".orders.3.log.tmp", MARGIN_MS + SECOND)
    assert raw.late() == [old], "the newest is the one that is written"


def test_one_that_should_have_been_rolled_long_ago_was_not_closed(raw: Raw) -> None:
    old = raw.begin(".orders.1.log.tmp", ROLL_MS + ROLL_MARGIN_MS + SECOND, day="2026-11-29")
    assert raw.late() == [old]
    raw.begin(".orders.0.log.tmp", 99 * ROLL_MS, day="2026-11-01")
    raw.begin("orders.3.log", 0)
    assert raw.late() == [old], "the last two dates alone are looked at"


def test_dates_still_to_come_and_files_of_other_names_are_somebody_elses(raw: Raw) -> None:
    old = raw.begin(".orders.1.log.tmp", ROLL_MS + ROLL_MARGIN_MS + SECOND)
    for name in ("orders-20261203120000.log", "copy.orders.99.log", "orders.old.9.log"):
        raw.begin(name, MARGIN_MS + SECOND)
    for days in (40, 400):
        raw.begin("orders.3.log", 0, day=(TODAY + timedelta(days=days)).isoformat())
    assert raw.late() == [old]
    raw.begin(".orders.1.log.tmp", MARGIN_MS)
    assert raw.late() == [], "names of others are no later ones"


def test_the_agent_is_given_up_for_it_and_only_for_that(
    raw: Raw, quiet_stack: OwnStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Unclosed(quiet_stack.settings, quiet_stack.supervisor)
    ages = [500.0]
    monkeypatch.setattr("flume.unclosed.age", lambda _pid: ages[-1])
    found: list[str] = []
    monkeypatch.setattr("flume.unclosed.unclosed", lambda *_: list(found))
    looks.demand()
    found.append("/data/raw/orders/dt=2026-11-30/.orders.1.log.tmp")
    looks.demand()  # it has just looked
    monkeypatch.setattr("flume.unclosed.EVERY_SECONDS", 0)
    with pytest.raises(HasEnded, match=r"failed to close .*orders\.1\.log\.tmp"):
        looks.demand()
    monkeypatch.setattr("flume.unclosed.EVERY_SECONDS", 60)
    with pytest.raises(HasEnded):
        looks.demand()
    ages.append(20.0)
    looks.demand()  # the next agent is closing it
    ages.append(500.0)
    found.clear()
    looks.demand()


def test_hdfs_that_is_away_is_not_the_agents_fault(
    quiet_stack: OwnStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = quiet_stack.settings.model_copy(update={"namenode_http_port": 9})
    monkeypatch.setattr("flume.unclosed.age", lambda _pid: 500.0)
    looks = Unclosed(away, quiet_stack.supervisor)
    looks.demand()
    assert looks._looked > 0, "it has asked"


def test_the_lines_of_an_open_file_come_where_it_will_be_when_it_is_closed(
    raw: Raw, tmp_path: Path
) -> None:
    for name, text in (("orders.2", b"b\n"), (".orders.3.tmp", b"c\n"), ("orders.1", b"a\n")):
        raw.hdfs.write(f"{raw.root}/dt=2026-11-30/{name}", text)
    read = read_raw(raw.hdfs, raw_folders(raw.hdfs, raw.root), tmp_path)
    assert [line for table in read for line in table["line"].to_pylist()] == [b"a", b"b", b"c"]
