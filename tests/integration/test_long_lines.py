"""Long lines on real HDFS: in several files, few of them held, killed between any two."""

from collections.abc import Iterator
from io import BytesIO
from typing import IO, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from drill.stack import OwnStack
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter
from streaming.files import read_quarantine_name
from streaming.merging import QUARANTINE_FILES
from streaming.staging import Counts
from tests.integration.merging import Killed, trials
from tests.integration.trial import Trial
from tests.unit.test_long_lines import BAD, BATCH, GOOD, PARTITION, Lines, collected

PART: Final = 40_000
"""So much a file of quarantine holds in these tests."""


class MortalWriter(Hdfs):
    """A client whose process dies before it writes its Nth file."""

    files_left = -1
    """Below zero it lives."""

    def write(self, path: str, data: bytes | IO[bytes], *, overwrite: bool = True) -> None:
        if self.files_left == 0:
            raise Killed
        self.files_left -= 1
        super().write(path, data, overwrite=overwrite)


@pytest.fixture(scope="module")
def batch(spark: SparkSession) -> pa.Table:
    return collected(spark, BATCH)


@pytest.fixture
def trial(quiet_stack: OwnStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trial]:
    """Give folders of its own, in whose files and hands is little room."""
    monkeypatch.setattr("streaming.quarantine.FILE_BYTES", PART)
    monkeypatch.setattr("streaming.staging.HELD_BYTES", PART)
    with trials(quiet_stack.settings.webhdfs) as make:
        yield make()


def mortal(trial: Trial, url: str, files: int) -> BatchWriter:
    hdfs = MortalWriter(url, user="spark")
    writer = BatchWriter(hdfs, trial.tables, trial.told.append)
    writer.open()
    hdfs.files_left = files
    return writer


def demand_exact(trial: Trial) -> None:
    """Demand each line of BATCH once, in files that are what their names say."""
    found: dict[int, bytes] = {}
    for path, _ in trial.hdfs.walk(trial.tables.quarantine):
        name = read_quarantine_name(path.rpartition("/")[2])
        rows = pq.read_table(BytesIO(trial.hdfs.read(path))).to_pylist()
        offsets = [row["kafka_offset"] for row in rows]
        assert name is not None
        assert (name.partition, name.first, name.last) == (PARTITION, offsets[0], offsets[-1])
        assert len(rows) == 1 or sum(len(row["raw"]) for row in rows) <= PART
        assert not found.keys() & set(offsets)
        found |= {row["kafka_offset"]: row["raw"] for row in rows}
    assert found == BAD
    ((path, _),) = trial.hdfs.walk(trial.tables.transactions)
    rows = pq.read_table(BytesIO(trial.hdfs.read(path))).to_pylist()
    assert {row["kafka_offset"]: row["order_id"] for row in rows} == GOOD


def test_they_are_written_in_several_files_and_few_are_held(
    spark: SparkSession, batch: pa.Table, trial: Trial
) -> None:
    topic = Lines(BATCH)
    record = trial.writer().write(batch, "topic", 0, topic.fetch)
    demand_exact(trial)
    assert record.counts == Counts(len(BATCH), len(GOOD), 1, len(BAD))
    assert len(record.moves) >= 5
    assert topic.most <= len(BATCH[6]), "a part is read alone"
    # the very batch again, and all of it once more without a checkpoint
    assert trial.writer().write(batch, "topic", 0, topic.fetch) == record
    again = trial.writer().write(collected(spark, [*BATCH, b"new"]), "topic", 0)
    assert again.counts == Counts(len(BATCH) + 1, len(GOOD), 1, len(BAD) + 1)
    BAD[len(BATCH)] = b"new"
    try:
        demand_exact(trial)
    finally:
        del BAD[len(BATCH)]


@pytest.mark.parametrize("files", range(8))
def test_killed_between_two_files(
    quiet_stack: OwnStack, batch: pa.Table, trial: Trial, files: int
) -> None:
    topic = Lines(BATCH)
    writer = mortal(trial, quiet_stack.settings.webhdfs, files)
    try:
        record = writer.write(batch, "topic", 0, topic.fetch)
    except Killed:
        assert list(trial.hdfs.walk(trial.tables.quarantine)) == []
        record = trial.writer().write(batch, "topic", 0, topic.fetch)
    demand_exact(trial)
    assert record.totals == Counts(len(BATCH), len(GOOD), 1, len(BAD))
    assert trial.hdfs.names(trial.tables.staging) == [record.name]


def test_the_files_are_merged_as_any(batch: pa.Table, trial: Trial) -> None:
    writer, table = trial.writer(), trial.tables.quarantine
    writer.write(batch, "topic", 0, Lines(BATCH).fetch)
    assert writer.kinds[table] is QUARANTINE_FILES
    assert writer.merge(table, "arrival_dt=2019-04-01", lambda: None)
    trial.hdfs.delete(f"{table}/arrival_dt=2019-04-01/g=1")
    (path,) = (path for path, _ in trial.hdfs.walk(table))
    rows = pq.read_table(BytesIO(trial.hdfs.read(path))).to_pylist()
    assert {row["kafka_offset"]: row["raw"] for row in rows} == BAD
