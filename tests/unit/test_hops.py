"""How many lines each hop has taken, and what `status` says of it; files are real ones."""

import json
import os
from pathlib import Path

import pytest

from cluster.hops import count_lines, describe_hops, unread_lines
from cluster.movement import Reader
from cluster.samples import Memory, Sample
from pipeline.places import Places

NOW = 1_780_000_000.0
LINE = b"7|1|A-1|1|SALE|3|latte|1|70.00|\n"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    places.order_log.mkdir()
    places.positions.parent.mkdir()
    return places


def read_up_to(places: Places, read: dict[Path, int]) -> None:
    """Write Flume's position file."""
    rows = [{"inode": path.stat().st_ino, "file": str(path), "pos": at}
            for path, at in read.items()]  # fmt: skip
    places.positions.write_text(json.dumps(rows), encoding="utf-8")


def test_what_flume_has_not_read_is_counted(places: Places) -> None:
    first, second = places.order_log / "orders-a.log", places.order_log / "orders-b.log"
    first.write_bytes(LINE * 10)
    second.write_bytes(LINE * 3 + LINE[:5])
    assert unread_lines(places) == 13
    read_up_to(places, {first: 8 * len(LINE)})
    assert unread_lines(places) == 2 + 3
    read_up_to(places, {first: 10 * len(LINE), second: 3 * len(LINE)})
    assert unread_lines(places) == 0, "half a line is none"


def test_a_great_backlog_is_told_from_its_beginning(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.hops._MOST_BYTES", 100 * len(LINE))
    for name in ("orders-a.log", "orders-b.log"):
        (places.order_log / name).write_bytes(LINE * 200)
    assert unread_lines(places) == 400


def test_each_reader_has_its_lines_and_the_log_those_before_the_topic(places: Places) -> None:
    (places.order_log / "orders-a.log").write_bytes(LINE * 5)
    ends = {0: 100, 1: 50}
    readers = {
        "the HDFS sink": Reader({0: 90, 1: 50}, ends),
        "the HBase sink": Reader({0: 120}, ends),  # committed after the ends were asked
        "the source": Reader({"orders-a.log": 0}, {"orders-a.log": 9}),
    }
    assert count_lines(readers, places) == {"log": 155, "topic": 150, "raw": 140, "hbase": 100}
    assert count_lines({}, places) == {}


def test_a_hop_has_rate_lag_and_age(places: Places) -> None:
    path = places.order_log / "orders-a.log"
    path.write_bytes(LINE)
    os.utime(path, (NOW - 4, NOW - 4))
    memory = Memory()
    for age in range(300, -1, -10):
        taken = {"log": 3000 - age * 5, "topic": 3000 - age * 5, "raw": 3000 - max(age, 100) * 5}
        memory = memory.with_lines(Sample(NOW - age, taken))
    lines = {"log": 3010, "topic": 3000, "raw": 2500}
    log, topic, raw, hbase, _ = describe_hops(memory, lines, places, NOW)
    assert (log["rate"], log["lag"], log["age_seconds"]) == (5, None, 4)
    assert (topic["rate"], topic["lag"], topic["age_seconds"]) == (5, 10, 0)
    assert (raw["rate"], raw["lag"], raw["age_seconds"]) == (0, 500, 100)
    assert (hbase["rate"], hbase["lag"], hbase["age_seconds"]) == (None, None, None)


def test_lines_since_the_last_round_are_new(places: Places) -> None:
    memory = Memory((Sample(NOW - 7, {"topic": 10}),), moved={"topic": NOW - 500})
    assert describe_hops(memory, {"topic": 10}, places, NOW)[1]["age_seconds"] == 500
    assert describe_hops(memory, {"topic": 11}, places, NOW)[1]["age_seconds"] == 7


def test_without_kafka_and_watcher_nothing_is_made_up(places: Places) -> None:
    for hop in describe_hops(Memory(), {}, places, NOW):
        assert {hop["rate"], hop["lag"], hop["age_seconds"], hop["growing"]} == {None}
