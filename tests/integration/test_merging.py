"""Merging on real HDFS: killed, cut off, read meanwhile; nothing lost, nothing twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from itertools import count
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drill.stack import OwnStack
from pipeline.errors import Unavailable
from pipeline.generations import MARKER, due, retire
from pipeline.stores.tables import table_files
from streaming.batches import BatchWriter
from streaming.files import read_data_name
from streaming.merging import DATA_FILES, is_merged
from streaming.staging import Counts
from tests.integration.merging import (
    ARRIVED,
    FILLED,
    HOME,
    Killed,
    LateWrite,
    Merging,
    MortalHdfs,
    go_on,
    trials,
)
from tests.integration.trial import DAY
from tests.unit.order_rows import NOON, line, rows


@pytest.fixture
def make(quiet_stack: OwnStack) -> Iterator[Callable[[], Merging]]:
    with trials(quiet_stack.settings.webhdfs) as made:
        yield made


@pytest.fixture
def trial(make: Callable[[], Merging]) -> Merging:
    return make()


def test_a_merged_partition_has_the_same_rows_in_order(trial: Merging) -> None:
    writer = trial.filled()
    before = sorted(map(str, trial.newest(trial.transactions)))
    assert trial.merge(writer)
    ((path, _),) = trial.hdfs.walk(f"{trial.transactions}/{HOME}/g=2")
    name = read_data_name(path.rpartition("/")[2])
    assert name == (1, 4, 0, NOON + 1, NOON + 100)
    found = trial.newest(trial.transactions)
    assert sorted(map(str, found)) == before
    keys = [(r["ordered_at"], r["kafka_partition"], r["kafka_offset"]) for r in found]
    assert keys == sorted(keys)
    assert trial.told[-1] == f"{trial.transactions}/{HOME}/g=2"
    assert trial.hdfs.names(trial.tables.staging) == ["0001-000000004"]
    assert not trial.merge(writer), "merged once is enough"
    # later batches are added to the new generation, and merged again
    writer.write(rows(line(99), first=15), "t", 5)
    assert trial.merge(writer)
    assert trial.seen() == sorted([*FILLED, ("A-99", 15)])
    assert trial.generation() == 3


def test_files_are_bounded_however_much_they_overlap(trial: Merging) -> None:
    writer = trial.filled()
    writer.kinds[trial.transactions] = replace(DATA_FILES, most=3)
    assert trial.merge(writer)
    names = [path.rpartition("/")[2] for path, _ in
             trial.hdfs.walk(f"{trial.transactions}/{HOME}/g=2")]  # fmt: skip
    read = [read_data_name(name) for name in names]
    # the five rows of one instant stay together
    assert [(n.sequence, n.low - NOON, n.high - NOON) for n in read if n] == [
        (0, 1, 3), (1, 4, 5), (2, 100, 100),
    ]  # fmt: skip
    assert trial.seen() == FILLED
    assert is_merged(DATA_FILES, writer.listings[trial.transactions].current(HOME))


def _step(trial: Merging, at: int, error: type[BaseException], *, late: bool) -> bool:
    """Break a merge at its Nth change; False where it has fewer. Then go on as the stream does."""
    trial.filled()
    mortal = MortalHdfs(trial.url, 0, error, late=late)
    writer = BatchWriter(mortal, trial.tables, trial.told.append)
    writer.open()
    mortal.die_at(at)
    try:
        trial.merge(writer)
    except error:
        pass
    else:
        return False
    mortal.die_at(0)
    again = rows(line(1, at=NOON + 4), line(12, at=NOON + 100, amount="1.00"), line(50), first=15)
    after = trial.writer() if error is Killed else writer
    record = after.write(again, "t", 5)
    assert record.totals == Counts(18, 11, 1, 6)
    assert trial.seen() == sorted([*FILLED, ("A-50", 17)])
    assert trial.hdfs.names(trial.tables.staging) == [record.name]
    assert trial.merge(after)
    assert trial.seen() == sorted([*FILLED, ("A-50", 17)])
    # Hive's follower knows the newest, whoever made it
    assert trial.told[-1] == f"{trial.transactions}/{HOME}/g={trial.generation()}"
    return True


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", [Killed, Unavailable])
def test_killed_or_cut_off_at_any_step(
    make: Callable[[], Merging], error: type[BaseException], late: bool
) -> None:
    steps = next(n for n in count(1) if not _step(make(), n, error, late=late)) - 1
    assert steps >= 3, "a file is written, the home made, the folder renamed"


def test_hive_hears_of_a_merge_that_only_seemed_to_fail(trial: Merging) -> None:
    """Its partition gets no line any more: nobody else would tell."""
    trial.filled()
    mortal = MortalHdfs(trial.url, 0, Unavailable, late=True)
    writer = BatchWriter(mortal, trial.tables, trial.told.append)
    writer.open()
    writer.write(rows(line(50, at=NOON + DAY), first=15), "t", 5)
    mortal.die_at(3)
    with pytest.raises(Unavailable, match="rename"):
        trial.merge(writer)
    assert trial.generation() == 2
    trial.told.clear()
    writer.write(rows(line(51, at=NOON + DAY), first=16), "t", 6)
    assert f"{trial.transactions}/{HOME}/g=2" in trial.told


def test_a_file_of_a_failed_merge_that_comes_late_is_never_read(trial: Merging) -> None:
    """A DataNode that stood still goes on when the next merge is about to enter."""
    trial.filled()
    hdfs = LateWrite(trial.url)
    writer = BatchWriter(hdfs, trial.tables, trial.told.append)
    writer.open()
    with pytest.raises(Unavailable, match="write"):
        trial.merge(writer)
    writer.write(rows(line(50), first=15), "t", 5)
    assert trial.merge(writer)
    assert hdfs.has_come
    assert trial.seen() == sorted([*FILLED, ("A-50", 15)])


def test_a_batch_that_was_not_finished_is_finished_before_a_merge(trial: Merging) -> None:
    """Its files would be moved into the old generation, where nobody looks."""
    trial.filled()
    mortal = MortalHdfs(trial.url, 0, Unavailable, late=False)
    writer = BatchWriter(mortal, trial.tables, trial.told.append)
    writer.open()
    # one file and the record written, renamed, the folder made: the move is the 5th
    mortal.die_at(5)
    with pytest.raises(Unavailable, match="rename"):
        writer.write(rows(line(50), first=15), "t", 5)
    assert trial.seen() == FILLED
    assert trial.merge(writer)
    assert trial.seen() == sorted([*FILLED, ("A-50", 15)])


def test_a_rerun_after_a_merge_brings_nothing_back(trial: Merging) -> None:
    trial.merge(trial.filled())
    trial.hdfs.delete(f"{trial.transactions}/{HOME}/g=1")
    lines = (line(4, at=NOON + 1), "bad", line(14, at=NOON + 100))
    record = trial.writer().write(rows(*lines, first=12), "t", 4)
    assert record.totals == Counts(15, 10, 0, 5)
    assert trial.seen() == FILLED
    assert trial.hdfs.names(f"{trial.transactions}/{HOME}") == ["g=2"]


def test_late_lines_read_the_row_groups_that_can_hold_them(
    trial: Merging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.files.GROUP_ROWS", 10)
    writer = trial.writer()
    for n in range(4):
        lines = [line(k, at=NOON + k * 1000) for k in range(n * 25, n * 25 + 25)]
        writer.write(rows(*lines, first=n * 25), "t", n)
    assert trial.merge(writer)
    decoded: list[int] = []
    read = pq.ParquetFile.read_row_groups

    def spy(file: Any, groups: list[int], **options: Any) -> pa.Table:
        decoded.extend(groups)
        return read(file, groups, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", spy)
    late = [line(42, at=NOON + 42_000), line(43, at=NOON + 43_000, amount="1.00"), line(200)]
    record = writer.write(rows(*late, first=100), "t", 4)
    assert record.counts == Counts(3, 1, 1, 1)
    # NOON, 42 s and 43 s after it are in the first and the fifth of ten
    assert decoded == [0, 4]


def test_quarantine_keeps_each_offset_once(trial: Merging) -> None:
    """Also that of a topic made anew, which counts from 0 again."""
    writer = trial.writer()
    for n in range(3):
        lines = rows(f"bad {n}", f"worse {n}", first=2 * n)
        other = rows(f"elsewhere {n}", first=n, partition=1)
        writer.write(pa.concat_tables([lines, other]), "t", n)
    writer.write(rows("bad anew", line(1), "worse anew", topic="new"), "new", 0)
    before = sorted(map(str, trial.newest(trial.tables.quarantine)))
    assert writer.merge(trial.tables.quarantine, ARRIVED, go_on)
    names = [path.rpartition("/")[2] for path, _ in
             trial.hdfs.walk(f"{trial.tables.quarantine}/{ARRIVED}/g=2")]  # fmt: skip
    assert names == [
        "0002-000000000-000-000000000000-000000000005.parquet",
        "0002-000000000-001-000000000000-000000000002.parquet",
    ]
    assert sorted(map(str, trial.newest(trial.tables.quarantine))) == before
    # all is read again, with the checkpoint and the batches' records lost
    trial.hdfs.delete(trial.tables.staging)
    again = trial.writer()
    record = again.write(rows("bad anew", line(1), "worse anew", "bad 3", topic="new"), "new", 0)
    assert record.counts == Counts(4, 1, 0, 3)
    found = trial.newest(trial.tables.quarantine)
    assert len(found) == 12
    assert (
        len({(r["kafka_topic_id"], r["kafka_partition"], r["kafka_offset"]) for r in found}) == 12
    )


def test_heavy_lines_are_in_several_files(trial: Merging) -> None:
    writer = trial.writer()
    for n in range(4):
        writer.write(rows("x" * 60_000, first=n), "t", n)
    quarantine = trial.tables.quarantine
    writer.kinds[quarantine] = replace(writer.kinds[quarantine], most=130_000)
    assert writer.merge(quarantine, ARRIVED, go_on)
    assert len(trial.hdfs.names(f"{quarantine}/{ARRIVED}/g=2")) == 2
    assert sorted(r["kafka_offset"] for r in trial.newest(quarantine)) == [0, 1, 2, 3]


def test_a_reader_that_began_before_sees_each_row_once(trial: Merging) -> None:
    """It has listed the old generation, which stays for an hour after the switch."""
    writer = trial.filled()
    listed = list(table_files(trial.hdfs, trial.transactions, lambda _day: True))
    assert trial.merge(writer)
    folder = f"{trial.transactions}/{HOME}"
    assert retire(trial.hdfs, folder, 2) is not None
    writer.write(rows(line(77), first=15), "t", 5)
    found = []
    for file in listed:
        found += pq.read_table(BytesIO(trial.hdfs.read(file.path))).to_pylist()
    assert sorted((r["order_id"], r["kafka_offset"]) for r in found) == FILLED
    assert trial.seen() == sorted([*FILLED, ("A-77", 15)])


def test_old_generations_are_marked_once_and_go_after_their_time(trial: Merging) -> None:
    trial.merge(trial.filled())
    folder = f"{trial.transactions}/{HOME}"
    # not switched yet: Hive shows the first
    assert retire(trial.hdfs, folder, 1, grace=0) is None
    assert due(trial.hdfs, folder) == 0, "Hive has to be asked"
    retire(trial.hdfs, folder, 2)
    assert MARKER in trial.hdfs.names(f"{folder}/g=1")
    first = retire(trial.hdfs, folder, 2)
    assert due(trial.hdfs, folder) == first
    assert retire(trial.hdfs, folder, 2) == first, "the time is that of the switch"
    assert trial.hdfs.names(folder) == ["g=1", "g=2"]
    assert retire(trial.hdfs, folder, 2, grace=0) is None
    assert trial.hdfs.names(folder) == ["g=2"]
    assert trial.seen() == FILLED


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("is_lost", [False, True])
def test_a_batch_that_dies_at_every_change(
    make: Callable[[], Merging], late: bool, is_lost: bool
) -> None:
    """The Nth driver dies at its Nth change of HDFS: in what it finishes, in what it writes.

    is_lost: each has a checkpoint that knows nothing of the batch before.
    """
    trial = make()
    first = rows(line(1), "bad", line(2))
    second = rows(line(3), line(1), "worse", line(4, at=NOON + 86_400_000), first=3)
    trial.writer().write(first, "t", 0)
    given = (pa.concat_tables([first, second]), "t", 0) if is_lost else (second, "t", 1)
    for deaths in count(1):
        mortal = MortalHdfs(trial.url, deaths, Killed, late=late)
        try:
            writer = BatchWriter(mortal, trial.tables, trial.told.append)
            writer.open()
            writer.write(*given)
        except Killed:
            continue
        break
    assert deaths > 5
    record = trial.last()
    assert trial.clean() == [("A-1", 0), ("A-2", 2), ("A-3", 3), ("A-4", 6)]
    assert [(o, raw) for o, _, raw in trial.quarantined()] == [(1, b"bad"), (5, b"worse")]
    assert record.totals == Counts(7, 4, 1, 2)
    assert trial.hdfs.names(trial.tables.staging) == [record.name]
