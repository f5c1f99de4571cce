"""Folders on real HDFS in which one test has the stream's writer at work."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import pyarrow.parquet as pq

from pipeline.places import CLEAN
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.staging import Record

DAY: Final = 86_400_000
"""Milliseconds."""


@dataclass(frozen=True)
class Trial:
    """Folders of one test, and what is in them."""

    hdfs: Hdfs
    tables: Tables
    told: list[str] = field(default_factory=list)
    """The folders that Hive's follower was told of."""

    def writer(self) -> BatchWriter:
        """Start a driver: one that knows nothing but what lies on HDFS."""
        writer = BatchWriter(self.hdfs, self.tables, self.told.append)
        writer.open()
        return writer

    def last(self) -> Record:
        """Give the newest batch's record, as a driver finds it at its start."""
        record = self.writer().last
        assert record is not None
        return record

    def stored(self, table: str) -> list[dict[str, Any]]:
        """Read every row of a table."""
        found = []
        for path, _ in self.hdfs.walk(table):
            found += pq.read_table(BytesIO(self.hdfs.read(path))).to_pylist()
        return found

    def clean(self) -> list[tuple[str, int]]:
        """Give (order_id, offset) of transactions_cln."""
        return sorted(
            (r["order_id"], r["kafka_offset"]) for r in self.stored(self.tables.transactions)
        )

    def quarantined(self) -> list[tuple[int, str, bytes]]:
        """Give (offset, reason, raw) of quarantine."""
        return sorted(
            (r["kafka_offset"], r["reason"], r["raw"]) for r in self.stored(self.tables.quarantine)
        )


@contextmanager
def own_trial(webhdfs: str) -> Iterator[Trial]:
    """Give a trial, and remove what it has left."""
    hdfs = Hdfs(webhdfs, user="spark")
    root = f"{CLEAN}/test-{uuid.uuid4().hex[:8]}"
    yield Trial(hdfs, Tables(f"{root}/transactions_cln", f"{root}/quarantine", f"{root}/staging"))
    hdfs.delete(root)
