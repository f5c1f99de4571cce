"""Generations of customers_cln: a new customer file replaces the table as a whole.

The rows are written into a folder beside the table, which enters as g=N+1 by one rename; then the
table's LOCATION in Hive is switched. Who reads by path takes the highest generation.
"""

import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from hive.session import Session
from hive.tables import get_location, set_location
from pipeline.places import CLEAN, CUSTOMERS
from pipeline.webhdfs import Hdfs

STAGING: Final = f"{CLEAN}/customers_staging"
"""What a killed load left here goes with the next one."""
GRACE_SECONDS: Final = 3600
"""How long an old generation stays after the switch: a query in flight reads it to its end."""


@dataclass(frozen=True, slots=True)
class CustomerTable:
    """The table's folder on HDFS and its name in Hive. uri: hdfs://HOST:PORT. One writer."""

    hdfs: Hdfs
    uri: str
    folder: str = CUSTOMERS
    name: str = "customers_cln"

    def newest(self) -> int:
        """Give the number of the highest generation, which is complete; 0 where there is none."""
        return max(self._numbers(), default=0)

    def enter(self, staged: str) -> int:
        """Make a complete folder the newest generation; give its number."""
        self.hdfs.make_folder(self.folder)
        number = self.newest() + 1
        self.hdfs.rename(staged, f"{self.folder}/g={number}")
        return number

    def show(self, session: Session) -> None:
        """Point Hive at the newest generation if it is not yet, and clear away what is old.

        Safe to repeat; a load that was killed, or found no HiveServer2, is completed by it.
        """
        # asked before the listing: a load that switches in between is never switched back
        shown = get_location(session, self.name)
        numbers = self._numbers()
        if not numbers:
            return
        newest = f"{self.folder}/g={max(numbers)}"
        if shown != f"{self.uri}{newest}":
            set_location(session, self.name, f"{self.uri}{newest}")
            # its time tells later since when its forerunner is old
            self.hdfs.stamp(newest)
            return
        for old, successor in pairwise(sorted(numbers)):
            if time.time() - numbers[successor] > GRACE_SECONDS:
                self.hdfs.delete(f"{self.folder}/g={old}")

    def _numbers(self) -> dict[int, float]:
        """Give the generations with their folders' times, in epoch seconds."""
        found = self.hdfs.statuses(self.folder)
        return {
            int(name.removeprefix("g=")): status["modificationTime"] / 1000
            for name, status in found
            if name.startswith("g=")
        }
