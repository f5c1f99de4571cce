"""Publishes rebuilt partitions, a new generation each, complete by one rename; sets files aside.

Only while the stream stands: each table has one writer at a time.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from pipeline.errors import Unavailable
from pipeline.generations import attempt, enter
from pipeline.places import STAGING, TRANSACTIONS
from pipeline.webhdfs import Hdfs
from streaming.files import TRANSACTIONS as COLUMNS
from streaming.files import DataName, encode, read_data_name
from streaming.ranges import pieces
from streaming.staging import Record

SET_ASIDE: Final = "set-aside"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Writes generations of one table. last: the stream's newest batch, whose name files bear.

    Without one (staging was lost as well) they bear the highest epoch that the table's files have,
    so that the stream's next epoch is above it.
    """

    hdfs: Hdfs
    last: Record | None
    table: str = TRANSACTIONS
    staging: str = STAGING

    def publish(self, partitions: list[str], rows: Callable[[str], pa.Table]) -> Iterator[str]:
        """Replace partitions (odr_dt=…/odr_hr=…) one by one; gives each new folder.

        rows gives all rows that a partition shall have (schema TRANSACTIONS, odr_dt, odr_hr). One
        that was published is whole, whatever becomes of those after it.
        """
        epoch, batch = self._position()
        # what a killed repair leaves there the stream removes at its start, like its own batches
        folder = attempt(self.staging, "rebuild")
        for partition in partitions:
            wanted = rows(partition)
            staged = f"{folder}/{partition}"
            self.hdfs.make_folder(staged)
            for sequence, piece in enumerate(pieces(wanted) if len(wanted) else ()):
                name = DataName(epoch, batch, sequence, piece.low, piece.high).text()
                self.hdfs.write(f"{staged}/{name}", encode(piece.rows, COLUMNS))
            yield enter(self.hdfs, staged, f"{self.table}/{partition}")
        self.hdfs.delete(folder)

    def _position(self) -> tuple[int, int]:
        if self.last is not None:
            return self.last.epoch, self.last.batch
        names = (read_data_name(path.rpartition("/")[2]) for path, _ in self.hdfs.walk(self.table))
        return max((name.epoch for name in names if name), default=1), 0


def publish(folders: Iterator[str]) -> list[str]:
    """Take the new folders as they are published; raises Unavailable that names those so far."""
    published: list[str] = []
    while True:
        try:
            published.append(next(folders))
        except StopIteration:
            return published
        except Unavailable as error:
            so_far = ", ".join(published) or "none"
            raise Unavailable(f"{error} Repaired so far: {so_far}.") from error


def set_aside(hdfs: Hdfs, files: list[str], staging: str = STAGING) -> list[str]:
    """Move damaged files of quarantine to a folder in staging, where nobody reads them; gives their
    new paths.
    """
    moved = []
    for path in files:
        folder, _, name = path.rpartition("/quarantine/")[2].rpartition("/")
        home = f"{staging}/{SET_ASIDE}/{folder}"
        hdfs.make_folder(home)
        # one of the same name may have been set aside before
        moved.append(f"{home}/{time.time_ns()}-{name}")
        hdfs.rename(path, moved[-1])
    return moved
