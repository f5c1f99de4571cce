"""transactions_cln as it lies on HDFS, file by file; what cannot be read is named and left out."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.places import TRANSACTIONS as TABLE
from pipeline.stores.fetched import fetched
from pipeline.stores.tables import table_files
from pipeline.verify.scope import Scope
from pipeline.webhdfs import Hdfs
from streaming.files import TRANSACTIONS, read_data_name

_PARTITION: Final = re.compile(r"/odr_dt=(\d{4}-\d\d-\d\d)/odr_hr=(\d+)/g=\d+/")


class LiveTable:
    """The files of some business dates. `damaged` fills while they are read: paths on HDFS."""

    def __init__(self, hdfs: Hdfs, dates: Scope, table: str = TABLE) -> None:
        self._hdfs = hdfs
        self._dates = dates
        self._table = table
        self.damaged: list[str] = []

    def rows(self, scratch: Path) -> Iterator[pa.Table]:
        """Give each file's rows: schema TRANSACTIONS, then odr_dt and odr_hr of the partition, and
        the file's path.
        """
        files = table_files(self._hdfs, self._table, self._dates.wants)
        yield from self._rows((f.path for f in files), scratch, self.damaged.append)

    def rows_elsewhere(
        self, scratch: Path, ends: tuple[int, int], unread: Callable[[str], None]
    ) -> Iterator[pa.Table]:
        """Give the same of the other dates' files, where they may hold an instant between the ends
        (epoch ms, both included). unread: is told the path of each that cannot be read.
        """
        files = table_files(self._hdfs, self._table, lambda day: not self._dates.wants(day))
        yield from self._rows((f.path for f in files if may_hold(f.path, ends)), scratch, unread)

    def _rows(
        self, paths: Iterator[str], scratch: Path, unread: Callable[[str], None]
    ) -> Iterator[pa.Table]:
        for path, copy in fetched(self._hdfs, paths, scratch):
            found = _PARTITION.search(path)
            if found is None:
                continue  # in no partition, so in nobody's sight
            try:
                rows = pq.read_table(copy, partitioning=None)
                rows = rows.select(TRANSACTIONS.names).cast(TRANSACTIONS)
            except (pa.ArrowException, OSError, KeyError, ValueError):
                # whatever makes a file unreadable: its rows are missing, and a rebuild has them
                unread(path)
                continue
            day = pa.array([found[1]] * len(rows)).cast(pa.date32())
            hour = pa.array([int(found[2])] * len(rows), pa.int32())
            file = pa.array([path] * len(rows), pa.string())
            rows = rows.append_column("odr_dt", day).append_column("odr_hr", hour)
            yield rows.append_column("file", file)


def may_hold(path: str, ends: tuple[int, int]) -> bool:
    """Tell by a file's name whether it may hold an instant between two (epoch ms, included)."""
    name = read_data_name(path.rpartition("/")[2])
    return name is None or (name.low <= ends[1] and ends[0] <= name.high)


def partition_of(path: str) -> str:
    """Give a file's partition as its path below the table: odr_dt=…/odr_hr=…."""
    found = _PARTITION.search(path)
    if found is None:
        raise ValueError(path)
    return f"odr_dt={found[1]}/odr_hr={found[2]}"
