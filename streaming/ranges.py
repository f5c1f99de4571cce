"""Splits a batch's rows into files of one partition and a narrow range of instants each.

A later batch is compared only with files whose range holds one of its instants. So a file ends
where neighbours are far apart: one late line must not stretch it over an hour.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

GAP_MS: Final = 60_000
"""Neighbours that are further apart belong into two files."""
MOST_FILES: Final = 8
"""As many files a partition and batch at most; the widest gaps count."""
BATCH_FILES: Final = 64
"""Cuts are made while a batch has fewer files: a replay of a year touches hundreds of partitions,
and eight files in each would be thousands a batch."""
MOST_ROWS: Final = 250_000
"""A file holds no more rows: what is read for one comparison stays small."""


class Piece(NamedTuple):
    """The rows of one file; low and high in epoch milliseconds, both included."""

    partition: str
    low: int
    high: int
    rows: pa.Table


def pieces(rows: pa.Table, most_rows: int = MOST_ROWS) -> Iterator[Piece]:
    """Give the files that a batch's fresh rows go into, each sorted by ordered_at."""
    parts = list(by_partition(rows))
    most_files = max(1, min(MOST_FILES, BATCH_FILES // max(1, len(parts))))
    for partition, its_rows in parts:
        for piece in _split(its_rows, instants(its_rows), most_rows, most_files):
            at = instants(piece)
            yield Piece(partition, at[0].as_py(), at[-1].as_py(), piece)


def by_partition(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Give the rows of each partition (`odr_dt=…/odr_hr=…`), sorted by ordered_at."""
    keys = ("odr_dt", "odr_hr", "ordered_at", "kafka_partition", "kafka_offset")
    rows = rows.sort_by([(key, "ascending") for key in keys])
    days, hours = rows["odr_dt"], rows["odr_hr"]
    start = 0
    for end in _run_ends(pc.add(pc.multiply(days.cast(pa.int32()), 24), hours)):
        yield f"odr_dt={days[start]}/odr_hr={hours[start]}", rows.slice(start, end - start)
        start = end


def instants(rows: pa.Table) -> pa.Array:
    """Give ordered_at in epoch milliseconds, in the order of the rows."""
    return pc.divide(rows["ordered_at"].combine_chunks().cast(pa.int64()), 1000)


def holds_any(low: int, high: int, sorted_instants: list[int]) -> bool:
    """Tell whether one of the instants is within low to high, both included."""
    at = bisect_left(sorted_instants, low)
    return at < len(sorted_instants) and sorted_instants[at] <= high


def _run_ends(values: pa.ChunkedArray) -> list[int]:
    ends: list[int] = pc.run_end_encode(values.combine_chunks()).run_ends.to_pylist()
    return ends


def _split(rows: pa.Table, at: pa.Array, most_rows: int, most_files: int) -> Iterator[pa.Table]:
    steps = pc.subtract(at[1:], at[:-1])
    gaps = pc.indices_nonzero(pc.greater(steps, GAP_MS)).to_pylist()
    gaps.sort(key=lambda place: -steps[place].as_py())
    cuts = sorted(place + 1 for place in gaps[: most_files - 1])
    for start, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        count = -(-(end - start) // most_rows)
        size = -(-(end - start) // count)
        for first in range(start, end, size):
            yield rows.slice(first, min(size, end - first))
