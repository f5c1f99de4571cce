"""What lies on HDFS, as the only writer knows it: listed when first asked for, then told."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import LoyaltyError
from pipeline.generations import highest
from pipeline.webhdfs import Hdfs
from streaming.files import INSTANT, TRANSACTIONS
from streaming.ranges import holds_any

RowGroup = Any
"""pyarrow's RowGroupMetaData; it brings no types."""
FETCHED_AT_ONCE: Final = 4
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
        self.table = table
        self.known: dict[str, Generation] = {}
        """What was asked for so far, by partition."""

    def current(self, partition: str) -> Generation:
        """Give the highest generation of a partition; for a new partition g=1, not yet there."""
        if partition not in self.known:
            return self.look(partition)
        return self.known[partition]

    def below(self, folder: str) -> list[str]:
        """List the partitions' folders (`odr_dt=…`, or in it `odr_hr=…`) on HDFS now."""
        names = self._hdfs.names(f"{self.table}/{folder}".rstrip("/"))
        return sorted(name for name in names if "=" in name)

    def look(self, partition: str) -> Generation:
        """Give the same as it is on HDFS now, whatever was known."""
        folder = f"{self.table}/{partition}"
        number = highest(self._hdfs, folder)
        path = f"{folder}/g={number or 1}"
        names = self._hdfs.names(path) if number else []
        self.known[partition] = Generation(path, names)
        return self.known[partition]


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
        file = self._hdfs.read(path)
        try:
            rows, is_small = decoded(file, self._names, is_needed)
        except pa.ArrowException as error:
            reason = str(error).partition("\n")[0]
            raise LoyaltyError(
                f"{path} is no whole Parquet file ({reason}): a batch with lines of its time waits "
                "for it. `./loyalty rebuild --repair` makes a partition of transactions_cln again, "
                "sets a file of quarantine aside and has its lines judged again."
            ) from error
        if is_small:
            self.keep(path, rows)
        return rows


def decoded(
    file: bytes, names: list[str], is_needed: Callable[[RowGroup], bool]
) -> tuple[pa.Table, bool]:
    """Give columns of a file's row groups that are needed, and whether it is a small one (of a
    single group) of which these are all rows.
    """
    parquet = pq.ParquetFile(pa.BufferReader(file))
    number = parquet.num_row_groups
    if lacking := set(names) - set(parquet.schema_arrow.names):
        raise pa.ArrowInvalid(f"it lacks {', '.join(sorted(lacking))}")
    groups = [n for n in range(number) if is_needed(parquet.metadata.row_group(n))]
    return parquet.read_row_groups(groups, columns=names), len(groups) == number == 1


def _holds(at: list[int]) -> Callable[[RowGroup], bool]:
    """Give the test whether a row group can hold one of some instants (sorted, epoch ms)."""

    def test(group: RowGroup) -> bool:
        column = group.column(TRANSACTIONS.get_field_index("ordered_at"))
        if column.statistics is None or not column.statistics.has_min_max:
            return True
        low, high = column.statistics.min_raw // 1000, column.statistics.max_raw // 1000
        return holds_any(low, high, at)

    return test
