"""Lines too long to be good: quarantined byte for byte, and never many of them in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from pipeline.order import MAX_LINE_BYTES, OrderLine, parse
from streaming.batches import BatchWriter, Tables
from streaming.clean import LINES, clean
from streaming.files import CLEANED, read_quarantine_name
from streaming.long_lines import LONG_BYTES, LinesGone, put_back
from streaming.merging import QUARANTINE_FILES
from streaming.staging import Counts
from tests.unit.local_hdfs import LocalHdfs
from tests.unit.order_rows import line

APPENDED = datetime(2019, 4, 1, 20, 0, tzinfo=UTC)
TABLES = Tables("/transactions_cln", "/quarantine", "/staging")
PARTITION = 1
PART = 40_000
"""So much a file of quarantine holds in these tests."""


def lengthy(number: int, size: int = 9_000) -> bytes:
    return (b"%d|" % number * size)[:size]


BATCH = [
    line(1).encode(), b"short", lengthy(0), line(2).encode(), lengthy(1), b"x" * LONG_BYTES,
    b"\xff\0" * 30_000, *(lengthy(n) for n in range(2, 12)), line(1).encode(), b"",
]  # fmt: skip
"""A topic's lines, as offsets 0, 1, ….; one of the long ones is longer than a file holds."""
GOOD = {0: "A-1", 3: "A-2"}
BAD = {at: raw for at, raw in enumerate(BATCH) if b"SALE" not in raw}


class Topic:
    """Gives lines by their offsets, and tells how many bytes were held at most."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.most = 0

    def fetch(self, partition: int, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        assert partition == PARTITION
        some = [(at, self.lines[at]) for at in range(first, last + 1)]
        self.most = max(self.most, sum(len(raw) for _, raw in some))
        yield from some


def collected(spark: SparkSession, lines: list[bytes]) -> pa.Table:
    """Give a batch as the stream collects it."""
    rows = [(raw, "topic", PARTITION, at, APPENDED) for at, raw in enumerate(lines)]
    return clean(spark.createDataFrame(rows, LINES), "UTC", 24, LONG_BYTES).toArrow()


@pytest.fixture(scope="module")
def batch(spark: SparkSession) -> pa.Table:
    return collected(spark, BATCH)


@pytest.fixture
def hdfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalHdfs:
    monkeypatch.setattr("streaming.quarantine.FILE_BYTES", PART)
    monkeypatch.setattr("streaming.staging.HELD_BYTES", PART)
    return LocalHdfs(tmp_path)


def opened(hdfs: LocalHdfs) -> BatchWriter:
    writer = BatchWriter(hdfs, TABLES, lambda _folder: None)
    writer.open()
    return writer


def demand_exact(hdfs: LocalHdfs) -> None:
    """Demand each line of BATCH once, in files that are what their names say."""
    found: dict[int, bytes] = {}
    for path, _ in hdfs.walk(TABLES.quarantine):
        name = read_quarantine_name(path.rpartition("/")[2])
        rows = pq.read_table(BytesIO(hdfs.read(path))).to_pylist()
        offsets = [row["kafka_offset"] for row in rows]
        assert name is not None
        assert (name.partition, name.first, name.last) == (PARTITION, offsets[0], offsets[-1])
        assert len(rows) == 1 or sum(len(row["raw"]) for row in rows) <= PART
        assert not found.keys() & set(offsets)
        found |= {row["kafka_offset"]: row["raw"] for row in rows}
    assert found == BAD
    ((path, _),) = hdfs.walk(TABLES.transactions)
    rows = pq.read_table(BytesIO(hdfs.read(path))).to_pylist()
    assert {row["kafka_offset"]: row["order_id"] for row in rows} == GOOD


def test_no_good_line_is_long() -> None:
    longest = b"|".join([
        b"9" * 10, b"9" * 13, b"A" * 40, b"9" * 3, b"REFUND", b"9" * 6, "👩".encode() * 60,
        b"9" * 7, b"9999999.99", b"A" * 40,
    ])  # fmt: skip
    assert isinstance(parse(longest), OrderLine)
    assert len(longest) < LONG_BYTES


def test_the_bytes_of_long_lines_are_not_collected(spark: SparkSession) -> None:
    junk = b"x" * MAX_LINE_BYTES
    rows = collected(spark, [*BATCH, *[junk] * 100])
    assert rows.schema.names == CLEANED.names
    assert rows["raw"].nbytes < 10_000
    for at, raw in BAD.items():
        found = rows.slice(at, 1).to_pylist()[0]
        is_long = len(raw) > LONG_BYTES
        assert found["reason"] is not None
        assert (found["raw"], found["raw_bytes"]) == ((None, len(raw)) if is_long else (raw, None))
    assert {rows["raw_bytes"][at].as_py() for at in GOOD} == {None}


def test_they_are_written_in_several_files_and_few_are_held(
    spark: SparkSession, batch: pa.Table, hdfs: LocalHdfs
) -> None:
    topic = Topic(BATCH)
    record = opened(hdfs).write(batch, "topic", 0, topic.fetch)
    demand_exact(hdfs)
    assert record.counts == Counts(len(BATCH), len(GOOD), 1, len(BAD))
    assert len(record.moves) >= 5
    assert topic.most <= len(BATCH[6]), "a part is read alone"
    # the very batch again, and all of it once more without a checkpoint
    assert opened(hdfs).write(batch, "topic", 0, topic.fetch) == record
    again = opened(hdfs).write(collected(spark, [*BATCH, b"new"]), "topic", 0)
    assert again.counts == Counts(len(BATCH) + 1, len(GOOD), 1, len(BAD) + 1)
    BAD[len(BATCH)] = b"new"
    try:
        demand_exact(hdfs)
    finally:
        del BAD[len(BATCH)]


@pytest.mark.parametrize("files", range(8))
def test_killed_between_two_files(batch: pa.Table, hdfs: LocalHdfs, files: int) -> None:
    topic, writer = Topic(BATCH), opened(hdfs)
    hdfs.files_left = files
    try:
        record = writer.write(batch, "topic", 0, topic.fetch)
    except KeyboardInterrupt:
        assert list(hdfs.walk(TABLES.quarantine)) == []
        hdfs.files_left = -1
        record = opened(hdfs).write(batch, "topic", 0, topic.fetch)
    demand_exact(hdfs)
    assert record.totals == Counts(len(BATCH), len(GOOD), 1, len(BAD))
    assert hdfs.names(TABLES.staging) == [record.name]


def test_the_files_are_merged_as_any(batch: pa.Table, hdfs: LocalHdfs) -> None:
    writer = opened(hdfs)
    writer.write(batch, "topic", 0, Topic(BATCH).fetch)
    assert writer.kinds[TABLES.quarantine] is QUARANTINE_FILES
    assert writer.merge(TABLES.quarantine, "arrival_dt=2019-04-01", lambda: None)
    hdfs.delete(f"{TABLES.quarantine}/arrival_dt=2019-04-01/g=1")
    (path,) = (path for path, _ in hdfs.walk(TABLES.quarantine))
    rows = pq.read_table(BytesIO(hdfs.read(path))).to_pylist()
    assert {row["kafka_offset"]: row["raw"] for row in rows} == BAD


@pytest.mark.parametrize("now", [lengthy(0)[:-1], b""])
def test_a_line_that_is_another_by_now_ends_the_batch(batch: pa.Table, now: bytes) -> None:
    rows = batch.cast(CLEANED)
    changed = Topic([*BATCH[:2], now, *BATCH[3:]])
    with pytest.raises(LinesGone, match="partition 1 from offset 2 to 16 while they were read"):
        put_back(rows, changed.fetch)
    with pytest.raises(LinesGone):
        put_back(rows, lambda *_: ())
