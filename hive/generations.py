"""Generations of loyalty's partitions: the one way to change what readers see.

A snapshot is built complete in a folder of its own, enters as g=N+1 beside g=N by one rename, and
then the partition's LOCATION is switched. Killed before the rename, nothing has changed; killed
between rename and switch, the next refresh makes the switch. The old folder stays for an hour
after that: a query in flight reads it to its end.
"""

import re
import time
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from hive.session import Session
from hive.tables import get_location, partition_name, partition_names, set_location
from pipeline.errors import LoyaltyError
from pipeline.webhdfs import Hdfs

GRACE_SECONDS: Final = 3600
"""How long an old generation stays; hive.query.timeout.seconds is ten minutes below."""

_GENERATION: Final = re.compile(r"g=([1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class SnapshotTable:
    """A table with one partition a date, in folders FOLDER/COLUMN=DATE/g=N.

    uri: hdfs://HOST:PORT. One writer at a time.
    """

    session: Session
    hdfs: Hdfs
    uri: str
    name: str
    column: str
    folder: str

    def publish(self, staged: str, day: date) -> str:
        """Make a complete folder the newest generation of a date, and show it; give its path."""
        for name in self.hdfs.names(staged):
            if name.startswith("."):  # what Hive left of its own staging
                self.hdfs.delete(f"{staged}/{name}")
        folder = self._day_folder(day)
        self.hdfs.make_folder(folder)
        newest = max(self._generations(folder), default=0)
        target = f"{folder}/g={newest + 1}"
        self.hdfs.rename(staged, target)
        self._show(day, target)
        return target

    def settle(self) -> None:
        """Make switches that were left pending, and delete generations whose hour is over."""
        shown = partition_names(self.session, self.name)
        for name, status in self.hdfs.statuses(self.folder):
            if not name.startswith(f"{self.column}="):
                continue
            day = date.fromisoformat(name.partition("=")[2])
            if name not in shown or status["childrenNum"] != 1:
                self._settle_day(day, is_shown=name in shown)

    def _settle_day(self, day: date, *, is_shown: bool) -> None:
        folder = self._day_folder(day)
        written = self._generations(folder)
        if not written:
            return
        newest = f"{folder}/g={max(written)}"
        if not is_shown or get_location(self.session, self.name, {self.column: day}) != (
            f"{self.uri}{newest}"
        ):
            self._show(day, newest)
            return
        for old, successor in pairwise(sorted(written)):
            if time.time() - written[successor] > GRACE_SECONDS:
                self.hdfs.delete(f"{folder}/g={old}")

    def _show(self, day: date, target: str) -> None:
        """Switch the partition, and read the switch back.

        The folder is stamped first: its time tells later since when its forerunner is old.
        """
        self.hdfs.stamp(target)
        location, partition = f"{self.uri}{target}", {self.column: day}
        set_location(self.session, self.name, location, partition)
        found = get_location(self.session, self.name, partition)
        if found != location:
            raise LoyaltyError(
                f"{self.name} {partition_name(partition)} still points at {found} after the switch "
                f"to {location}; run the refresh again."
            )

    def _day_folder(self, day: date) -> str:
        return f"{self.folder}/{self.column}={day}"

    def _generations(self, folder: str) -> dict[int, float]:
        """Give the generations of a folder with their times, in epoch seconds."""
        return {
            int(match[1]): status["modificationTime"] / 1000
            for name, status in self.hdfs.statuses(folder)
            if (match := _GENERATION.fullmatch(name))
        }
