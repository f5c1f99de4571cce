"""Publishes rebuilt partitions: a new generation each, complete by one rename.

Only while the stream stands: each table has one writer at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from pipeline.generations import attempt, enter
from pipeline.places import STAGING, TRANSACTIONS
from pipeline.webhdfs import Hdfs
from streaming.files import TRANSACTIONS as COLUMNS
from streaming.files import DataName, encode, read_data_name
from streaming.ranges import pieces
from streaming.staging import Record


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
