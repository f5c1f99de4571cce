"""Merges the small files of a partition into a new generation: sorted, of bounded size.

    staging/merge.….tmp           is being written; worthless after a crash
    TABLE/PARTITION/g=N+1         entered by one rename: from then on it is the truth

Ranges of a file are of its position: ordered_at in transactions_cln, the offset in quarantine. The
positions alone are read first; they say where to cut. Then each new file is read from the old ones
that can hold its rows, so no more than its rows are held, however much the old ones overlap.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import LoyaltyError
from pipeline.generations import attempt, enter, number_of
from pipeline.webhdfs import Hdfs
from streaming.files import (
    QUARANTINE,
    TRANSACTIONS,
    DataName,
    QuarantineName,
    encode,
    read_data_name,
    read_quarantine_name,
)
from streaming.ranges import MOST_ROWS
from streaming.staging import Record
from streaming.stored import FETCHED_AT_ONCE, Generation

OPEN_FILES: Final = 64
"""A partition with more files is merged although its date goes on."""
NEW_FOR_MERGED: Final = 8
"""So many new files for each merged one, at least: the stream stands while that is written anew."""
ROW_BYTES: Final = 256
"""What a row of quarantine weighs besides its raw bytes, so that 250,000 rows weigh 64 MB."""
Fetch = Callable[[str], bytes]


class NotMergeable(LoyaltyError):
    """A partition holds what the stream did not write; it stays as it is."""


class Part(NamedTuple):
    """A file that is merged; low and high in the unit of its position's column. partition: Kafka's
    where files are of one, else 0. batch: (epoch, batch).
    """

    partition: int
    low: int
    high: int
    path: str
    batch: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Kind:
    """How the files of a table are merged. column: its first partition column, a date. position:
    the column that the names' ranges are of. order: the sorting of the rows.

    most: how much the rows of a file may weigh in all; a row weighs what `weights` says, else 1.
    """

    schema: pa.Schema
    column: str
    position: str
    order: tuple[str, ...]
    read: Callable[[str], Part | None]
    name: Callable[[Record, int, Part], str]
    weights: Callable[[pa.Table], pa.Array] | None = None
    weighed: tuple[str, ...] = ()
    most: int = MOST_ROWS


def _read_data(path: str) -> Part | None:
    name = read_data_name(path.rpartition("/")[2])
    if name is None:
        return None
    batch = name.epoch, name.batch
    return Part(0, name.low * 1000, name.high * 1000 + 999, path, batch)


def _read_quarantine(path: str) -> Part | None:
    name = read_quarantine_name(path.rpartition("/")[2])
    if name is None:
        return None
    return Part(name.partition, name.first, name.last, path, (name.epoch, name.batch))


def _name_data(record: Record, number: int, part: Part) -> str:
    low, high = part.low // 1000, part.high // 1000
    return DataName(record.epoch, record.batch, number, low, high).text()


def _name_quarantine(record: Record, _number: int, part: Part) -> str:
    return QuarantineName(record.epoch, record.batch, part.partition, part.low, part.high).text()


def _raw_weights(rows: pa.Table) -> pa.Array:
    return pc.add(pc.binary_length(rows["raw"]).cast(pa.int64()), ROW_BYTES).combine_chunks()


DATA_FILES: Final = Kind(
    schema=TRANSACTIONS,
    column="odr_dt",
    position="ordered_at",
    order=("ordered_at", "kafka_partition", "kafka_offset"),
    read=_read_data,
    name=_name_data,
)
QUARANTINE_FILES: Final = Kind(
    schema=QUARANTINE,
    column="arrival_dt",
    position="kafka_offset",
    # a topic made anew has the same offsets: its rows are beside those of its forerunner
    order=("kafka_offset", "kafka_topic_id"),
    read=_read_quarantine,
    name=_name_quarantine,
    weights=_raw_weights,
    weighed=("raw",),
    most=MOST_ROWS * ROW_BYTES,
)


def visible(names: list[str]) -> list[str]:
    """Give the names that readers see."""
    return [name for name in names if name[0] not in "._"]


def is_merged(kind: Kind, home: Generation) -> bool:
    """Tell whether a partition needs no merge: one file, or all of them of one merge."""
    return len(visible(home.names)) <= 1 or _unmerged(kind, home) == 0


def is_crowded(kind: Kind, home: Generation) -> bool:
    """Tell whether it has too many files, and enough new ones to write the merged ones again: so
    the stream stands for a small share of the time only, however large a partition becomes.
    """
    if len(home.names) <= OPEN_FILES:
        return False
    new = _unmerged(kind, home)
    return new >= NEW_FOR_MERGED * (len(home.names) - new)


def _unmerged(kind: Kind, home: Generation) -> int:
    """Count the files that no merge or repair has made: those have the lowest batch's name, in
    every generation but the first.
    """
    batches = [part.batch if part else (0, 0) for part in map(kind.read, visible(home.names))]
    if number_of(home.path) == 1 or not batches:
        return len(batches)
    return sum(batch != min(batches) for batch in batches)


def merge(
    hdfs: Hdfs,
    staging: str,
    record: Record,
    home: Generation,
    kind: Kind,
    *,
    go_on: Callable[[], None],
) -> Generation:
    """Merge a partition's generation `home` into the next one, and give that.

    record: the newest complete batch, whose name the files bear. go_on is called before each file
    that is read or written, by several threads, and may raise. Raises NotMergeable where there is a
    file of somebody else, or a row is amiss.
    """
    staged = attempt(staging, "merge")
    names: list[str] = []

    def fetch(path: str) -> bytes:
        go_on()
        return hdfs.read(path)

    for part, rows in _merged(fetch, _parts(home, kind), kind):
        go_on()
        name = kind.name(record, len(names), part)
        hdfs.write(f"{staged}/{name}", encode(rows, kind.schema), overwrite=False)
        names.append(name)
        del rows
        # else the stream's process keeps the most that it ever needed
        pa.default_memory_pool().release_unused()
    path = enter(hdfs, staged, home.path.rpartition("/")[0])
    return Generation(path, names)


def _parts(home: Generation, kind: Kind) -> list[Part]:
    found = []
    for name in visible(home.names):
        part = kind.read(f"{home.path}/{name}")
        if part is None:
            raise NotMergeable(
                f"{home.path}/{name} is not a file of the stream, so its partition is not merged; "
                "move it elsewhere."
            )
        found.append(part)
    return sorted(found)


def _merged(fetch: Fetch, parts: list[Part], kind: Kind) -> Iterator[tuple[Part, pa.Table]]:
    """Give the rows of the new files, with what their names say."""
    for partition, group in groupby(parts, key=lambda part: part.partition):
        old = list(group)
        positions, weights = _positions(fetch, old, kind)
        there, given = len(positions), 0
        ends = list(spans(positions, weights, kind.most))
        del positions, weights
        for low, high in ends:
            rows = _rows_between(fetch, old, kind, low, high)
            given += len(rows)
            yield Part(partition, low, high, "", (0, 0)), rows
        if given != there:
            raise NotMergeable(
                f"{old[0].path.rpartition('/')[0]} has {there} rows, its merge {given}: the names "
                "of its files are not true; it stays as it is, `./loyalty rebuild` compares it."
            )


def spans(
    positions: pa.Array, weights: pa.Array | None, most: int
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Cut positions (int64, in any order) into ranges, both ends included, that weigh at most so
    much. Rows of one position stay together, whatever they weigh. weights: int64, None is 1 each.
    """
    order = pc.sort_indices(positions)
    at = _values(positions.take(order))
    total = range(1, len(at) + 1)
    if weights is not None:
        total = _values(pc.cumulative_sum(weights.take(order)))
    start = 0
    while start < len(at):
        before = total[start - 1] if start else 0
        end = max(bisect_right(total, before + most), start + 1)
        if end < len(at):
            first = bisect_left(at, at[end])
            end = first if first > start else bisect_right(at, at[end])
        yield at[start], at[end - 1]
        start = end


def _values(array: pa.Array) -> Any:
    """Give the values of an int64 array just made, without a copy."""
    return memoryview(array.buffers()[1]).cast("q")[: len(array)]


def _positions(fetch: Fetch, parts: list[Part], kind: Kind) -> tuple[pa.Array, pa.Array | None]:
    """Read the position of every row, and what it weighs where rows differ in that."""

    def read(part: Part) -> tuple[pa.Array, pa.Array | None]:
        columns = [kind.position, *kind.weighed]
        rows = pq.read_table(pa.BufferReader(fetch(part.path)), columns=columns)
        weights = kind.weights(rows) if kind.weights else None
        return rows[kind.position].combine_chunks().cast(pa.int64()), weights

    with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
        found = list(pool.map(read, parts))
    weights = [weight for _, weight in found if weight is not None]
    return (
        pa.concat_arrays([position for position, _ in found]),
        pa.concat_arrays(weights) if weights else None,
    )


def _rows_between(fetch: Fetch, parts: list[Part], kind: Kind, low: int, high: int) -> pa.Table:
    """Read the rows of some positions, both ends included, from the files that can hold them."""

    def read(part: Part) -> pa.Table:
        file = pq.ParquetFile(pa.BufferReader(fetch(part.path)))
        column = kind.schema.get_field_index(kind.position)
        groups = [
            number
            for number in range(file.num_row_groups)
            if _overlaps(file.metadata.row_group(number).column(column).statistics, low, high)
        ]
        rows = file.read_row_groups(groups, columns=kind.schema.names).cast(kind.schema)
        at = rows[kind.position].cast(pa.int64())
        return rows.filter(pc.and_(pc.greater_equal(at, low), pc.less_equal(at, high)))

    needed = [part for part in parts if part.low <= high and part.high >= low]
    with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
        rows = pa.concat_tables(pool.map(read, needed))
    return rows.sort_by([(column, "ascending") for column in kind.order])


def _overlaps(statistics: Any, low: int, high: int) -> bool:
    if statistics is None or not statistics.has_min_max:
        return True
    return bool(statistics.min_raw <= high and statistics.max_raw >= low)
