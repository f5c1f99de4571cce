"""Trials in which partitions are merged, on real HDFS, and a client that breaks off at any step."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from itertools import count
from threading import Event
from typing import IO, Any

import pyarrow.parquet as pq

from pipeline.errors import Unavailable
from pipeline.generations import highest
from pipeline.places import CLEAN
from pipeline.stores.tables import table_files
from pipeline.topic import Topic
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.query import Batches, Source
from streaming.rounds import Rounds
from tests.integration.trial import Trial
from tests.unit.order_rows import NOON, line, rows

HOME = "odr_dt=2019-04-01/odr_hr=0"
ARRIVED = "arrival_dt=2019-04-01"
TODAY = date(2019, 4, 1)
Call = tuple[str, tuple[Any, ...]]


def go_on() -> None:
    """Nobody asked the stream to end."""


class Killed(BaseException):
    """The process ends here: nothing in it may catch this."""


class MortalHdfs(Hdfs):
    """A client whose process dies, or loses its connection, at its Nth change of HDFS.

    late: after the NameNode has done it; otherwise before it heard of it.
    """

    def __init__(self, url: str, at: int, error: type[BaseException], *, late: bool) -> None:
        super().__init__(url, user="spark")
        self.die_at(at)
        self.error = error
        self.late = late

    def die_at(self, change: int) -> None:
        """From now on the Nth change is the last; 0: none is."""
        self._last, self._changes = change, count(1)

    def _call(self, function: str, *args: Any, **options: Any) -> Any:
        if function not in ("write", "rename", "delete", "makedirs"):
            return super()._call(function, *args, **options)
        is_last = next(self._changes) == self._last  # some are asked for side by side
        if is_last and not self.late:
            raise self.error(function)
        answer = super()._call(function, *args, **options)
        if is_last:
            raise self.error(function)
        return answer


class LateWrite(Hdfs):
    """A client whose first write for a merge fails, and is done when the next merge is renamed."""

    def __init__(self, url: str) -> None:
        super().__init__(url, user="spark")
        self.waiting: tuple[str, bytes] | None = None
        self.has_come = False

    def write(self, path: str, content: bytes | IO[bytes], *, overwrite: bool = True) -> None:
        if "/merge." in path and self.waiting is None and isinstance(content, bytes):
            self.waiting = path, content
            raise Unavailable("write")
        super().write(path, content, overwrite=overwrite)

    def rename(self, source: str, target: str) -> None:
        if "/merge." in source and self.waiting is not None:
            super().write(*self.waiting, overwrite=False)
            self.has_come = True
        super().rename(source, target)


@dataclass(frozen=True)
class Merging(Trial):
    """A trial in which partitions are merged."""

    url: str = ""
    ending: Event = field(default_factory=Event)
    """Set: the stream was asked to end."""

    @property
    def transactions(self) -> str:
        return self.tables.transactions

    def newest(self, table: str) -> list[dict[str, Any]]:
        """Read what readers see: each partition's highest generation."""
        found = []
        for file in table_files(self.hdfs, table, lambda _day: True):
            found += pq.read_table(BytesIO(self.hdfs.read(file.path))).to_pylist()
        return found

    def seen(self) -> list[tuple[str, int]]:
        """Give (order_id, offset) of transactions_cln as readers see it."""
        return sorted((r["order_id"], r["kafka_offset"]) for r in self.newest(self.transactions))

    def generation(self, partition: str = HOME) -> int:
        return highest(self.hdfs, f"{self.transactions}/{partition}")

    def merge(self, writer: BatchWriter, partition: str = HOME) -> bool:
        return writer.merge(self.transactions, partition, go_on)

    def filled(self, hdfs: Hdfs | None = None) -> BatchWriter:
        """Write five batches whose ranges overlap, with bad lines; offsets 0 to 14."""
        writer = BatchWriter(hdfs or self.hdfs, self.tables, self.told.append)
        writer.open()
        for n in range(5):
            lines = (line(n, at=NOON + 5 - n), "bad", line(10 + n, at=NOON + 100))
            writer.write(rows(*lines, first=3 * n), "t", n)
        return writer

    def rounds(self, writer: BatchWriter, today: date, swept: date | None) -> Rounds:
        source = Source(Topic("127.0.0.1:1", "orders"), "t", 10)
        batches = Batches(source, writer, lambda _record: None)
        return Rounds(
            writer,
            batches,
            self.ending,
            today=lambda: today,
            swept=swept,
            done=lambda: None,
        )


FILLED = sorted((f"A-{n + k}", 3 * n + (2 if k else 0)) for n in range(5) for k in (0, 10))


@contextmanager
def trials(url: str) -> Iterator[Callable[[], Merging]]:
    """Give what makes trials, each in folders of its own. url: of WebHDFS."""
    hdfs, numbers = Hdfs(url, user="spark"), count()
    root = f"{CLEAN}/test-{uuid.uuid4().hex[:8]}"

    def make() -> Merging:
        own = f"{root}/{next(numbers)}"
        tables = Tables(f"{own}/transactions_cln", f"{own}/quarantine", f"{own}/staging")
        return Merging(hdfs, tables, url=url)

    yield make
    hdfs.delete(root)
