"""Lines too long to be good: quarantined byte for byte, and never many of them in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from pipeline.order import MAX_LINE_BYTES, OrderLine, parse
from streaming.clean import LINES, clean
from streaming.files import CLEANED
from streaming.long_lines import LONG_BYTES, LinesGone, put_back
from tests.unit.order_rows import line

APPENDED = datetime(2019, 4, 1, 20, 0, tzinfo=UTC)
PARTITION = 1


def lengthy(number: int, size: int = 9_000) -> bytes:
    return (b"%d|" % number * size)[:size]


BATCH = [
    line(1).encode(), b"short", lengthy(0), line(2).encode(), lengthy(1), b"x" * LONG_BYTES,
    b"\xff\0" * 30_000, *(lengthy(n) for n in range(2, 12)), line(1).encode(), b"",
]  # fmt: skip
"""A topic's lines, as offsets 0, 1, ….; one of the long ones is longer than a file holds."""
GOOD = {0: "A-1", 3: "A-2"}
BAD = {at: raw for at, raw in enumerate(BATCH) if b"SALE" not in raw}


class Lines:
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


@pytest.mark.parametrize("now", [lengthy(0)[:-1], b""])
def test_a_line_that_is_another_by_now_ends_the_batch(batch: pa.Table, now: bytes) -> None:
    rows = batch.cast(CLEANED)
    changed = Lines([*BATCH[:2], now, *BATCH[3:]])
    with pytest.raises(LinesGone, match="partition 1 from offset 2 to 16 while they were read"):
        put_back(rows, changed.fetch)
    with pytest.raises(LinesGone):
        put_back(rows, lambda *_: ())
