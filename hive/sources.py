"""What lies under each business date of transactions_cln on HDFS, told apart without reading it.

A fingerprint names, for each block of hours, the generation, how many files are in it and when that
changed (HDFS's modification time of the folder, ms). Files only ever enter a generation, by a
rename, and never change there: whenever a date has other rows, its fingerprint is another one. (A
merge changes it too, with the same rows: the date is summed again for nothing.)

It is taken before the rows are read, so what comes in between is summed twice, never left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pipeline.generations import LISTED_AT_ONCE, numbers
from pipeline.webhdfs import Hdfs

_COLUMN: Final = "odr_dt="
Statuses = dict[str, dict[str, Any]]
"""FileStatus as of WebHDFS, by name."""


@dataclass(frozen=True, slots=True)
class Sources:
    """folders: generations' folders by partition (odr_dt=…/odr_hr=…), the oldest first. prints: the
    fingerprint of each date.
    """

    folders: dict[str, list[str]]
    prints: dict[date, str]

    def of(self, dates: Iterable[date], shown: Set[str]) -> dict[str, list[str]]:
        """Give the folders of some dates, and of each partition that Hive does not have (shown)."""
        names = {f"{_COLUMN}{day}" for day in dates}
        return {
            partition: folders
            for partition, folders in self.folders.items()
            if partition not in shown or partition.partition("/")[0] in names
        }


def look(hdfs: Hdfs, folder: str, shown: Set[str], last: date) -> Sources:
    """List the table's folder up to a date: one call for each partition of its own.

    shown: the partitions that Hive has; where it lacks some, one more call for their date.
    """
    known: defaultdict[str, list[str]] = defaultdict(list)
    for partition in sorted(shown):
        known[partition.partition("/")[0]].append(partition)
    dates = {
        name: status["childrenNum"]
        for name, status in sorted(hdfs.statuses(folder))
        if name.startswith(_COLUMN) and name <= f"{_COLUMN}{last}"
    }

    def hours(name: str) -> list[str]:
        if len(known[name]) == dates[name]:
            return known[name]
        return [f"{name}/{hour}" for hour in sorted(hdfs.names(f"{folder}/{name}")) if "=" in hour]

    def generations(partition: str) -> tuple[str, Statuses]:
        return partition, dict(hdfs.statuses(f"{folder}/{partition}"))

    with ThreadPoolExecutor(LISTED_AT_ONCE) as pool:
        partitions = [one for some in pool.map(hours, dates) for one in some]
        found = {one: statuses for one, statuses in pool.map(generations, partitions)
                 if numbers(statuses)}  # fmt: skip
    prints: dict[date, str] = {}
    for partition, statuses in found.items():
        name, _, hour = partition.partition("/")
        day = date.fromisoformat(name.removeprefix(_COLUMN))
        prints[day] = f"{prints.get(day, '')}{fingerprint(hour, statuses)};"
    folders = {
        one: [f"{folder}/{one}/g={number}" for number in numbers(statuses)]
        for one, statuses in found.items()
    }
    return Sources(folders, prints)


def fingerprint(hour: str, statuses: Statuses) -> str:
    """Tell a block's content: odr_hr=0:g=2:17:1764430000000; statuses: of its generations."""
    newest = f"g={numbers(statuses)[-1]}"
    status = statuses[newest]
    return f"{hour}:{newest}:{status['childrenNum']}:{status['modificationTime']}"
