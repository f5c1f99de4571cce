"""What lies on HDFS, as the only writer knows it: listed when first asked for, then told.

A partition's folder holds generations g=1, g=2, …; the highest is complete, and the one that is
written to and read.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.webhdfs import Hdfs

_GENERATION: Final = re.compile(r"g=([1-9][0-9]*)")
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


def partitions(hdfs: Hdfs, folder: str, above: str = "") -> Iterator[tuple[str, list[str]]]:
    """Give each partition below a table's folder, with its generations' folders, oldest first."""
    for name in sorted(hdfs.names(folder)):
        if "=" not in name or name.startswith("."):
            continue
        partition, path = f"{above}{name}", f"{folder}/{name}"
        found = filter(None, map(_GENERATION.fullmatch, hdfs.names(path)))
        if numbers := sorted(int(match[1]) for match in found):
            yield partition, [f"{path}/g={number}" for number in numbers]
        else:
            yield from partitions(hdfs, path, f"{partition}/")


class Reader:
    """Reads columns of Parquet files; the last ones read or written are kept."""

    def __init__(self, hdfs: Hdfs, names: tuple[str, ...], most_bytes: int = CACHED_BYTES) -> None:
        self._hdfs = hdfs
        self._names = list(names)
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, pa.Table] = OrderedDict()

    def rows(self, path: str) -> pa.Table:
        """Give the rows of a file, in the reader's columns."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        source = pa.BufferReader(self._hdfs.read(path))
        table = pq.read_table(source, columns=self._names, partitioning=None)
        self.keep(path, table)
        return table

    def keep(self, path: str, rows: pa.Table) -> None:
        """Keep the rows of a file just written, which it now is; the oldest ones make room."""
        # a slice holds on to the whole batch until it is copied
        self._kept[path] = pa.concat_tables([rows.select(self._names)]).combine_chunks()
        self._kept.move_to_end(path)
        while self._kept and sum(t.nbytes for t in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)
