"""Which partition is merged next, at most one a round: between two batches, so the stream stands.

First the one that has too many files; then, once every programme date after midnight, each
partition of a date that is over and has unmerged files, the latest first.
"""

import logging
import time
from collections.abc import Callable
from datetime import date
from threading import Event
from typing import Final, NamedTuple

import pyarrow as pa

from pipeline.errors import LoyaltyError, Unavailable
from pipeline.generations import number_of, partitions
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter
from streaming.merging import Kind, is_crowded, is_merged
from streaming.progress import OpenPartition
from streaming.query import Batches, Stopping
from streaming.stored import Generation

AGAIN_SECONDS: Final = 30
"""After HDFS did not answer."""

log = logging.getLogger(__name__)


class Partition(NamedTuple):
    """A partition of a table, both as folders: …/transactions_cln and odr_dt=…/odr_hr=…."""

    table: str
    name: str


class Rounds:
    """Merges for the stream. `look` is called every second, by the thread that started the query.

    asked_to_end: a merge ends soon after it is set, and leaves the partition as it was. today: the
    programme's date. swept: the date whose closed partitions are merged already, None where that
    is not known. done: told after a merge and after a sweep.
    """

    def __init__(
        self,
        writer: BatchWriter,
        batches: Batches,
        asked_to_end: Event,
        *,
        today: Callable[[], date],
        swept: date | None,
        done: Callable[[], None],
    ) -> None:
        self.swept = swept
        self._writer = writer
        self._batches = batches
        self._asked_to_end = asked_to_end
        self._today = today
        self._done = done
        self._sweep: tuple[date, list[Partition]] | None = None
        """The date of the sweep under way, and what it has left to do, the last one first."""
        self._left_alone: dict[Partition, int] = {}
        """Partitions that cannot be merged, by how many files they had then."""
        self._not_before = 0.0
        self._is_away = False

    def look(self) -> None:
        """Merge one partition if one needs it; HDFS away is waited for, without an end."""
        if time.monotonic() < self._not_before:
            return
        try:
            self._prepare_sweep()
            self._batches.between(self._merge_one)
        except Stopping:
            return
        except Unavailable as error:
            self._not_before = time.monotonic() + AGAIN_SECONDS
            if not self._is_away:
                log.warning("Small files are merged later: %s", error)
            self._is_away = True
        else:
            self._is_away = False

    def _prepare_sweep(self) -> None:
        """List what is to be swept, once a date; the stream need not stand for that."""
        today = self._today()
        if self.swept == today or (self._sweep is not None and self._sweep[0] == today):
            return
        found = [
            Partition(table, name)
            for table, kind in self._writer.kinds.items()
            for name in unmerged(self._writer.hdfs, table, kind, today)
        ]
        self._sweep = today, sorted(found, key=lambda place: _date(place.name))

    def _merge_one(self) -> None:
        if (place := self._crowded()) is not None:
            self._merge(place)
            self._done()
        elif self._sweep is not None:
            day, left = self._sweep
            if left:
                self._merge(left[-1])
                left.pop()
            if not left:
                self.swept, self._sweep = day, None
                self._done()

    def _crowded(self) -> Partition | None:
        for table, listing in self._writer.listings.items():
            for name, home in listing.known.items():
                place = Partition(table, name)
                if is_crowded(self._writer.kinds[table], home) and (
                    len(home.names) > 2 * self._left_alone.get(place, 0)
                ):
                    return place
        return None

    def go_on(self) -> None:
        """Leave a sign of work, or end the merge that is at hand."""
        if self._asked_to_end.is_set():
            raise Stopping("The stream ends; the merge is made after its next start.")
        self._writer.at_work()

    def _merge(self, place: Partition) -> None:
        begun = time.monotonic()
        try:
            if self._writer.merge(place.table, place.name, self.go_on):
                seconds = time.monotonic() - begun
                log.warning("%s/%s is merged, in %.1f s.", place.table, place.name, seconds)
        except (Stopping, Unavailable):
            raise
        except (LoyaltyError, pa.ArrowException, OSError, KeyError, ValueError) as error:
            # one damaged or foreign file is no reason to stop the stream: `verify` names it
            log.error("%s/%s is not merged: %s", place.table, place.name, error)  # noqa: TRY400
            found = self._writer.listings[place.table].known.get(place.name)
            self._left_alone[place] = len(found.names) if found else 1


def find_today(writer: BatchWriter, today: date) -> None:
    """Ask HDFS for the partitions of today, so that they are known before a line comes."""
    for table, listing in writer.listings.items():
        day = f"{writer.kinds[table].column}={today}"
        found = [name for name in writer.hdfs.names(f"{table}/{day}") if "=" in name]
        for name in found:
            listing.current(day if name.startswith("g=") else f"{day}/{name}")


def open_partitions(writer: BatchWriter, today: date) -> tuple[OpenPartition, ...]:
    """Give what is known of partitions of today and later, and of those of the last batch."""
    moves = writer.last.moves if writer.last else ()
    last = {move.target.rpartition("/g=")[0] for move in moves}
    return tuple(
        OpenPartition(table.rpartition("/")[2], name, len(home.names), number_of(home.path))
        for table, listing in writer.listings.items()
        for name, home in sorted(listing.known.items())
        if home.names and (_date(name) >= today.isoformat() or f"{table}/{name}" in last)
    )


def unmerged(hdfs: Hdfs, table: str, kind: Kind, today: date) -> list[str]:
    """List the partitions of dates before today that have unmerged files."""
    found = []
    for name, folders in partitions(hdfs, table):
        if _date(name) < today.isoformat():
            home = Generation(folders[-1], hdfs.names(folders[-1]))
            if not is_merged(kind, home):
                found.append(name)
    return found


def _date(partition: str) -> str:
    """Give the date of a partition's first column, ISO: they sort as text."""
    return partition.partition("=")[2].partition("/")[0]
