"""How verify's database takes lines in: small tables together, none lost, whatever their types."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.verify import scratch as module
from pipeline.verify.scratch import Scratch, open_scratch


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with open_scratch(tmp_path, "UTC") as opened:
        yield opened


def topic(first: int, count: int, offsets: pa.DataType) -> pa.Table:
    """Give messages, each with a line of its own."""
    numbers = range(first, first + count)
    return pa.table({
        "line": pa.array([b"line %d" % n for n in numbers], pa.binary()),
        "p": pa.array([0] * count, pa.int32()),
        "off": pa.array(numbers, offsets),
        "ts": pa.array([1] * count, pa.int64()),
    })  # fmt: skip


@pytest.mark.parametrize("limit", [1, 300, 1 << 20])
def test_every_line_is_taken_once_wherever_the_tables_end(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(module, "GATHERED_BYTES", limit)
    tables = [topic(0, 3, pa.int64()), topic(3, 0, pa.int64()), topic(3, 40, pa.int64()),
              topic(43, 2, pa.int32()), topic(45, 1, pa.int64())]  # fmt: skip
    assert scratch.load("topic", tables) == 46
    assert scratch.rows("select off from topic order by off") == [(n,) for n in range(46)]
    assert scratch.value("select count(*) from texts") == 46


def test_nothing_is_taken_from_nothing(scratch: Scratch) -> None:
    assert scratch.load("topic", []) == 0
