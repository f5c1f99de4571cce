"""HDFS raw, the master data set: its dates of arrival, and where it begins once some were deleted.

Beside the folders of the dates, in their parent, a file says the first date that is whole. Without
the file all that ever arrived is there.
"""

import re
from contextlib import suppress
from datetime import date, timedelta
from typing import Final

from pipeline.places import RAW
from pipeline.webhdfs import Hdfs

_FOLDER: Final = re.compile(r"dt=(\d{4}-\d{2}-\d{2})")


def dates(hdfs: Hdfs, root: str = RAW) -> list[date]:
    """List the dates of arrival, the oldest first."""
    found = (_FOLDER.fullmatch(name) for name in hdfs.names(root))
    days = []
    for match in filter(None, found):
        with suppress(ValueError):  # dt=2026-02-30 is somebody else's
            days.append(date.fromisoformat(match[1]))
    return sorted(days)


def begin_at(hdfs: Hdfs, first: date, root: str = RAW) -> None:
    """Say that raw begins at this date of arrival; a later one that was said stays."""
    before = begins_at(hdfs, root)
    if before is not None and first <= before:
        return
    hdfs.replace(begins_file(root), first.isoformat().encode())


def begins_at(hdfs: Hdfs, root: str = RAW) -> date | None:
    """Give the first date of arrival that was not deleted; None where none ever was."""
    with suppress(FileNotFoundError):
        return date.fromisoformat(hdfs.read(begins_file(root)).decode())
    return None


def first_whole_date(hdfs: Hdfs, root: str = RAW) -> date | None:
    """Give the first business date all of whose lines raw still has; None: it has all of them.

    A line arrives on its business date or later, or a day before: dates of arrival are the clock's
    of Flume, and a till's may be ten minutes ahead.
    """
    begins = begins_at(hdfs, root)
    return None if begins is None else begins + timedelta(days=1)


def begins_file(root: str = RAW) -> str:
    """Where it is said."""
    return f"{root}.begins"
