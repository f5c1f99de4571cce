"""A year of old orders in one batch: files of bounded range; what comes next costs no more."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from drill.stack import OwnStack
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter
from streaming.files import read_data_name
from streaming.staging import Counts
from tests.integration.merging import Merging, trials
from tests.unit.order_rows import NOON, line, rows

DAY = 86_400_000
DAYS = 365
A_DAY = 12


class Counting(Hdfs):
    """A client that counts what it asks for, by function."""

    def __init__(self, url: str) -> None:
        super().__init__(url, user="spark")
        self.asked: Counter[str] = Counter()

    def _call(self, function: str, *args: Any, **options: Any) -> Any:
        self.asked[function] += 1
        return super()._call(function, *args, **options)


@pytest.fixture
def trial(quiet_stack: OwnStack) -> Iterator[Merging]:
    with trials(quiet_stack.settings.webhdfs) as make:
        yield make()


def test_a_year_at_once(trial: Merging) -> None:
    hdfs = Counting(trial.url)
    writer = BatchWriter(hdfs, trial.tables, trial.told.append)
    writer.open()

    def live(number: int) -> Counter[str]:
        """Write a batch of an order of now; gives what was asked of HDFS for it."""
        before = hdfs.asked.copy()
        now = rows(line(number, at=NOON + 10 * DAY + number), first=number)
        assert writer.write(now, "t", number).counts == Counts(1, 1, 0, 0)
        return hdfs.asked - before

    live(0)  # it makes the folders
    alone = live(1)
    old = [line(n, at=NOON - n * DAY // A_DAY) for n in range(DAYS * A_DAY)]
    Random(20261201).shuffle(old)
    record = writer.write(rows(*old, first=2), "t", 2)
    assert record.counts == Counts(len(old), len(old), 0, 0)
    names = (read_data_name(move.target.rpartition("/")[2]) for move in record.moves)
    spans = [name.high - name.low for name in names if name is not None]
    assert DAYS <= len(spans) == len(record.moves) <= DAYS + 1
    assert max(spans) <= DAY, "the day on which the clocks go back has 25 hours"
    # all of it once more: each line is found in the one file that can hold it
    again = writer.write(rows(*old, first=2 + len(old)), "t", 3)
    assert again.counts == Counts(len(old), 0, len(old), 0)
    assert not again.moves
    beside = live(2 * len(old) + 2)
    assert sum(beside.values()) <= sum(alone.values()) + 1, (alone, beside)
