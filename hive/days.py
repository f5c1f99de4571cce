"""Table spend_daily: net spend per customer of each date, summed again where its lines changed.

What each date was summed from stands in one file beside the partitions (`_made_from.json`): its
generation here, and the fingerprint of its lines (hive/sources.py). An entry is taken out before
its date gets another generation and put in again when Hive shows that: wherever a refresh is
killed, the dates whose entries are not there are summed again.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any, Final

from hive.generations import GenerationTable
from hive.session import Session
from hive.sql import read_statement
from hive.tables import partition_names
from pipeline.generations import LISTED_AT_ONCE, number_of
from pipeline.webhdfs import Hdfs

INDEX: Final = "_made_from.json"
DATES_AT_ONCE: Final = 100
"""In one statement: Hive opens as many files at once, and allows a hundred."""


@dataclass(frozen=True, slots=True)
class Day:
    """A date of spend_daily: its generation, and the fingerprint of what that was summed from."""

    generation: int
    source: str


Days = dict[date, Day]


def bring_up(
    session: Session,
    table: GenerationTable,
    staging: str,
    sources: Mapping[date, str],
    *,
    days: Days,
    changed: list[date],
) -> Days:
    """Sum the changed dates anew; give all days as they are then.

    staging: a folder of this refresh's own. sources: the fingerprints; Hive has to show what those
    of the changed dates are of, or newer. days: as the index has them.
    """
    if changed:
        # what is not in the index is summed: from here on a kill costs, and makes nothing wrong
        days = {day: made for day, made in days.items() if day not in changed}
        write_index(table.hdfs, table.folder, days)
        shown = partition_names(session, table.name)
        for start in range(0, len(changed), DATES_AT_ONCE):
            some = changed[start : start + DATES_AT_ONCE]
            for day, folder in _sum(session, table, staging, some).items():
                partition = f"odr_dt={day}"
                if partition in shown:
                    table.show(session, partition)
                else:
                    table.add(session, {partition: folder})
                days[day] = Day(number_of(folder), sources.get(day, ""))
        write_index(table.hdfs, table.folder, days)
    return days


def changed_dates(days: Mapping[date, Day], sources: Mapping[date, str], last: date) -> list[date]:
    """Give the dates up to `last` whose lines are not those that they were summed from."""
    return [
        day
        for day in sorted({*days, *sources})
        if day <= last and (day not in days or days[day].source != sources.get(day, ""))
    ]


def _sum(
    session: Session, table: GenerationTable, staging: str, dates: list[date]
) -> dict[date, str]:
    """Sum some dates in one statement, and make each a generation; gives their folders."""
    staged = f"{staging}/spend-{uuid.uuid4().hex}"
    session.run("DROP TABLE IF EXISTS spend_staged")
    session.run(read_statement("spend_daily/staged.sql", location=f"{table.uri}{staged}"))
    session.run(read_statement("spend_daily/sum.sql", dates=dates))

    def enter(day: date) -> str:
        # a date of walk-ins only has no folder
        table.hdfs.make_folder(f"{staged}/odr_dt={day}")
        return table.enter(f"{staged}/odr_dt={day}", f"odr_dt={day}")

    with ThreadPoolExecutor(LISTED_AT_ONCE) as pool:
        return dict(zip(dates, pool.map(enter, dates), strict=True))


def read_index(hdfs: Hdfs, folder: str) -> Days:
    """Read what each date was summed from; nothing where that cannot be read."""
    with suppress(FileNotFoundError, AttributeError, TypeError, ValueError):
        entries: dict[str, Any] = json.loads(hdfs.read(f"{folder}/{INDEX}"))
        return {date.fromisoformat(day): Day(*made) for day, made in entries.items()}
    return {}


def write_index(hdfs: Hdfs, folder: str, days: Mapping[date, Day]) -> None:
    """Replace it: the old one or the new one is read, whole."""
    entries = {str(day): astuple(made) for day, made in sorted(days.items())}
    hdfs.replace(f"{folder}/{INDEX}", json.dumps(entries).encode())


def digests(days: Mapping[date, Day], dates: Iterable[date]) -> dict[date, str]:
    """Give, for each of some dates, what tells all days up to it from any others."""
    running, found = hashlib.sha256(), {}
    left = sorted(days, reverse=True)
    for wanted in sorted(set(dates)):
        while left and left[-1] <= wanted:
            day = left.pop()
            running.update(f"{day} {days[day].generation} {days[day].source}\n".encode())
        found[wanted] = running.copy().hexdigest()
    return found
