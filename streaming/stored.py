"""What lies on HDFS, as the only writer knows it: listed when first asked for, then told.

A partition's folder holds generations g=1, g=2, …; the highest is complete, and the one that is
written to and read.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.webhdfs import Hdfs
from streaming.files import INSTANT, TRANSACTIONS
from streaming.ranges import holds_any

_GENERATION: Final = re.compile(r"g=([1-9][0-9]*)")
RowGroup = Any
"""pyarrow's RowGroupMetaData; it brings no types."""
FETCHED_AT_ONCE: Final = 4
LISTED_AT_ONCE: Final = 8
"""Folders; the client keeps ten connections."""
CACHED_BYTES: Final = 32 << 20
"""Rows of recent files that are kept: some minutes of live orders, which late ones come into."""


@dataclass(slots=True)
class Generation:
    """The current folder of a partition and the names of its files."""

    path: str
    names: list[str] = field(default_factory=list)


class Listing:
    """The files of one table. Partitions are named by their path below it: `odr_dt=…/odr_hr=…`."""

    def __init__(self, hdfs: Hdfs, table: str) -> None:
        self._hdfs = hdfs
        self._table = table
        self._known: dict[str, Generation] = {}

    def current(self, partition: str) -> Generation:
        """Give the highest generation of a partition; for a new partition g=1, not yet there."""
        if partition not in self._known:
            folder = f"{self._table}/{partition}"
            number = highest_generation(self._hdfs, folder)
            path = f"{folder}/g={number or 1}"
            names = self._hdfs.names(path) if number else []
            self._known[partition] = Generation(path, names)
        return self._known[partition]


def highest_generation(hdfs: Hdfs, folder: str) -> int:
    """Give the number of the highest generation in a partition's folder, 0 where there is none."""
    found = (_GENERATION.fullmatch(name) for name in hdfs.names(folder))
    return max((int(match[1]) for match in found if match), default=0)


def partitions(
    hdfs: Hdfs, folder: str, last: str | None = None, right: Set[str] = frozenset()
) -> Iterator[tuple[str, list[str]]]:
    """Give each partition below a table's folder, with its generations' folders, oldest first.

    last: the highest value of the first column (odr_dt=2019-04-05) that is asked for. right: those
    left out, where that spares a listing, as long as they have one generation.
    """

    def below(name: str) -> list[tuple[str, list[str]]]:
        return list(_below(hdfs, f"{folder}/{name}", name, right))

    names = [n for n in _columns(hdfs.names(folder)) if last is None or n <= last]
    with ThreadPoolExecutor(LISTED_AT_ONCE) as pool:
        for found in pool.map(below, names):
            yield from found


def _below(
    hdfs: Hdfs, path: str, partition: str, right: Set[str]
) -> Iterator[tuple[str, list[str]]]:
    names = dict(hdfs.statuses(path))
    if numbers := sorted(int(match[1]) for match in map(_GENERATION.fullmatch, names) if match):
        yield partition, [f"{path}/g={number}" for number in numbers]
        return
    for name in _columns(names):
        inner = f"{partition}/{name}"
        if inner not in right or names[name]["childrenNum"] != 1:
            yield from _below(hdfs, f"{path}/{name}", inner, right)


def _columns(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if "=" in name and not name.startswith("."))


class Reader:
    """Reads columns of Parquet files; the last small ones read or written are kept."""

    def __init__(self, hdfs: Hdfs, names: tuple[str, ...], most_bytes: int = CACHED_BYTES) -> None:
        self._hdfs = hdfs
        self._names = list(names)
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, pa.Table] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def rows(self, path: str) -> pa.Table:
        """Give the rows of a file, in the reader's columns."""
        return self._kept_or(path, lambda _group: True)

    def rows_of(self, paths: list[str], at: list[int]) -> Iterator[pa.Table]:
        """Give the rows of files whose ordered_at is among some instants (sorted, epoch ms).

        Four files are fetched at once; of a file with several row groups only those are decoded
        that can hold one of the instants.
        """
        wanted = pc.multiply(pa.array(at, pa.int64()), 1000).cast(INSTANT)
        with ThreadPoolExecutor(FETCHED_AT_ONCE) as pool:
            for start in range(0, len(paths), FETCHED_AT_ONCE):
                some = paths[start : start + FETCHED_AT_ONCE]
                for rows in pool.map(lambda path: self._kept_or(path, _holds(at)), some):
                    yield rows.filter(pc.is_in(rows["ordered_at"], value_set=wanted))

    def keep(self, path: str, rows: pa.Table) -> None:
        """Keep the rows of a file just written, which it now is; the oldest ones make room."""
        # a slice holds on to the whole batch until it is copied
        table = pa.concat_tables([rows.select(self._names)]).combine_chunks()
        with self._lock:
            self._bytes += table.nbytes - (self._kept[path].nbytes if path in self._kept else 0)
            self._kept[path] = table
            self._kept.move_to_end(path)
            while self._bytes > self._most_bytes:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes

    def _kept_or(self, path: str, is_needed: Callable[[RowGroup], bool]) -> pa.Table:
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
        file = pq.ParquetFile(pa.BufferReader(self._hdfs.read(path)))
        groups = [n for n in range(file.num_row_groups) if is_needed(file.metadata.row_group(n))]
        rows = file.read_row_groups(groups, columns=self._names)
        if file.num_row_groups == 1:
            self.keep(path, rows)
        return rows


def _holds(at: list[int]) -> Callable[[RowGroup], bool]:
    """Give the test whether a row group can hold one of some instants (sorted, epoch ms)."""

    def test(group: RowGroup) -> bool:
        column = group.column(TRANSACTIONS.get_field_index("ordered_at"))
        if column.statistics is None or not column.statistics.has_min_max:
            return True
        low, high = column.statistics.min_raw // 1000, column.statistics.max_raw // 1000
        return holds_any(low, high, at)

    return test
