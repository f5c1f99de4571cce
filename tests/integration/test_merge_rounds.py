"""Which partitions are merged when, on real HDFS; and the stream itself, with Hive behind it."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import date
from itertools import count

import pytest

from drill.stack import OwnStack
from pipeline.generations import MARKER, highest
from pipeline.places import TRANSACTIONS
from pipeline.programme import calendar, read_programme
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter
from streaming.merging import DATA_FILES
from streaming.rounds import find_today, open_partitions, unmerged
from tests.integration.merging import ARRIVED, FILLED, HOME, TODAY, Merging, trials
from tests.integration.trial import DAY
from tests.unit.order_rows import NOON, line, rows
from tests.waiting import wait_until

NOBODY = 9_000_000
"""A member that no customer file has: nobody's spend is changed."""


@pytest.fixture
def trial(quiet_stack: OwnStack) -> Iterator[Merging]:
    with trials(quiet_stack.settings.webhdfs) as made:
        yield made()


@pytest.mark.parametrize("spoil", ["foreign", "damaged", "removed"])
def test_what_is_not_the_streams_is_left_alone(
    trial: Merging, spoil: str, caplog: pytest.LogCaptureFixture
) -> None:
    writer = trial.filled()
    path, _ = next(trial.hdfs.walk(f"{trial.transactions}/{HOME}"))
    if spoil == "foreign":
        trial.hdfs.write(f"{path.rpartition('/')[0]}/copy.parquet", trial.hdfs.read(path))
    elif spoil == "damaged":
        trial.hdfs.write(path, b"PAR1")
    else:
        trial.hdfs.delete(path)
    rounds = trial.rounds(writer, date(2019, 4, 2), None)
    for _ in range(3):
        rounds.look()
    merged = spoil == "removed"  # what is there is merged; `verify` names what is not
    assert trial.generation() == (2 if merged else 1)
    assert (HOME in caplog.text and "is not merged" in caplog.text) is not merged
    assert rounds.swept == date(2019, 4, 2)
    writer.write(rows(line(88, at=NOON + 500_000), first=15), "t", 5)


def test_what_is_merged_when(trial: Merging) -> None:
    """Open ones above 64 files, at most one a round; those of dates that are over, once a date."""
    writer = trial.writer()
    offset = count()
    for n in range(33):
        lines = (line(n, at=NOON), line(n, at=NOON + 200_000), line(n, at=NOON + DAY))
        writer.write(rows(*lines, first=3 * next(offset)), "t", n)
    tomorrow = "odr_dt=2019-04-02/odr_hr=0"
    rounds = trial.rounds(writer, TODAY, TODAY)
    rounds.look()
    assert (trial.generation(), trial.generation(tomorrow)) == (2, 1)
    rounds.look()
    assert (trial.generation(), trial.generation(tomorrow)) == (2, 1)
    writer.write(rows(line(990), line(991, at=NOON + DAY), first=99), "t", 33)

    def closed() -> list[str]:
        return unmerged(trial.hdfs, trial.transactions, DATA_FILES, date(2019, 4, 3))

    assert closed() == [HOME, tomorrow]
    # a new date: both are over, the later one comes first; another start has no need to know
    midnight = trial.rounds(trial.writer(), date(2019, 4, 3), TODAY)
    midnight.look()
    assert closed() == [HOME]
    assert midnight.swept == TODAY
    midnight.look()
    assert closed() == []
    midnight.look()
    assert midnight.swept == date(2019, 4, 3)
    assert (trial.generation(), trial.generation(tomorrow)) == (3, 2)
    assert len(trial.newest(trial.transactions)) == 101


def test_a_merge_ends_when_the_stream_shall(trial: Merging) -> None:
    rounds = trial.rounds(trial.filled(), date(2019, 4, 2), None)
    trial.ending.set()
    for _ in range(2):  # quarantine is swept as well
        rounds.look()
    assert trial.generation() == 1
    assert rounds.swept is None
    trial.ending.clear()
    for _ in range(2):
        rounds.look()
    assert trial.generation() == 2
    assert trial.seen() == FILLED


def test_open_partitions_are_told(trial: Merging) -> None:
    writer = trial.filled()
    trial.merge(writer)
    writer.write(rows(line(1, at=NOON + DAY), line(2, at=NOON - DAY), first=15), "t", 5)

    def told(some: BatchWriter) -> list[tuple[str, str, int, int]]:
        found = open_partitions(some, TODAY)
        return [(p.table, p.partition, p.files, p.generation) for p in found]

    of_last = ("transactions_cln", "odr_dt=2019-03-31/odr_hr=0", 1, 1)
    today = [("transactions_cln", HOME, 1, 2)]
    quarantine = [("quarantine", ARRIVED, 5, 1)]
    later = [("transactions_cln", "odr_dt=2019-04-02/odr_hr=0", 1, 1)]
    assert told(writer) == [of_last, *today, *later, *quarantine]
    fresh = trial.writer()
    find_today(fresh, TODAY)
    assert told(fresh) == [*today, *quarantine]


def test_the_stream_merges_while_it_runs(quiet_stack: OwnStack) -> None:
    """Eight files a batch, until there are too many; then every line once more."""
    hdfs = Hdfs(quiet_stack.settings.webhdfs, user="spark")
    prefix = f"MERGE-{uuid.uuid4().hex[:8]}"
    home = f"{TRANSACTIONS}/odr_dt=2018-03-05/odr_hr=0"
    sent: list[str] = []
    began = max(1, highest(hdfs, home))
    while highest(hdfs, home) <= began:
        assert len(sent) < 320, "a partition with more than 64 files is not merged"
        at = [NOON - 392 * DAY + len(sent) * 1000 + minutes * 120_000 for minutes in range(8)]
        some = [f"{NOBODY}|{one}|{prefix}-{len(sent)}|{n + 1}|SALE|3|latte|1|70.00|"
                for n, one in enumerate(at)]  # fmt: skip
        there = layout(hdfs, home)
        produce(quiet_stack, some)
        wait_for_another(hdfs, home, there)
        sent += some
    newest = highest(hdfs, home)
    today = [line(1, at=int(time.time() * 1000)).replace("A-1", prefix)]
    produce(quiet_stack, [*sent, *today])
    quiet_stack.ok("verify", "--wait")
    question = f"select count(*) n from transactions_cln where order_id like '{prefix}%'"
    assert quiet_stack.sql(question) == [{"n": len(sent) + 1}]
    wait_until("Hive shows it", lambda: MARKER in hdfs.names(f"{home}/g={newest - 1}"))
    assert quiet_stack.sql(question) == [{"n": len(sent) + 1}]
    document = json.loads(quiet_stack.ok("status", "--json"))
    told = {(p["table"], p["partition"]): p for p in document["open_partitions"]}
    day = calendar(read_programme(quiet_stack.settings.programme)).today()
    assert told["transactions_cln", f"odr_dt={day}/odr_hr=0"]["files"] >= 1
    assert f"transactions_cln {day}" in quiet_stack.ok("status")


def layout(hdfs: Hdfs, home: str) -> list[str]:
    """List the files of a partition's newest generation; they change with a batch or a merge."""
    newest = f"{home}/g={highest(hdfs, home)}"
    return [f"{newest}/{name}" for name in hdfs.names(newest)]


def wait_for_another(hdfs: Hdfs, home: str, there: list[str]) -> None:
    """Wait until there are other files: those of two batches are twice as many."""
    wait_until("a batch of it", lambda: layout(hdfs, home) != there)


def produce(stack: OwnStack, lines: list[str]) -> None:
    """Write lines as a till does."""
    stack.ok("produce", "--from", "-", stdin="".join(f"{one}\n" for one in lines))
