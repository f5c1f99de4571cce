"""Raw files that an agent left open: their leases are recovered, then they get their final name.

Only while no agent runs: it would lose the file that it writes. Without this a file that was
open shows a wrong length, or stays `.NAME.log.tmp` for ever.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from pipeline.errors import Unavailable
from pipeline.places import RAW, Places
from pipeline.raw import dates
from pipeline.webhdfs import Hdfs

ADMIN: Final = "org.apache.hadoop.hdfs.tools.DFSAdmin"
DEBUG: Final = "org.apache.hadoop.hdfs.tools.DebugAdmin"

Tool = Callable[[str, tuple[str, ...]], str]
"""Runs a tool of HDFS (main class, arguments) as the superuser and gives what it printed."""

DAY_BEFORE: Final = timedelta(days=1)
PATIENCE_SECONDS: Final = 60
"""A round takes up to a DataNode's heartbeat (1 s), or 30 of them if a server has just died."""


def open_files(listing: str) -> list[str]:
    """Read the paths from what `dfsadmin -listOpenFiles` printed: the last word of a line."""
    words = (line.split() for line in listing.splitlines())
    return [row[-1] for row in words if row and row[-1].startswith(f"{RAW}/")]


def final_name(name: str) -> str | None:
    """Give `NAME.log` for `.NAME.log.tmp`, None for any other name."""
    if name.startswith(".") and name.endswith(".log.tmp"):
        return name[1:].removesuffix(".tmp")
    return None


def recover(hdfs: Hdfs, tool: Tool, places: Places, today: date | None = None) -> list[str]:
    """Close and rename what was left open; gives the final paths of renamed files.

    Only dates of arrival from the newest one of the last recovery on are listed, or from its
    yesterday on where that is earlier: the agent since then has written to no other, and raw grows
    for ever. They may be many: where HDFS was away
    when a file was to be closed, Flume tries to rename it once more and goes on for weeks.

    Raises Unavailable when a lease is not given up within a minute.
    """
    found = dates(hdfs)
    if not found:
        return []
    _close_all(tool)
    marker = places.positions.parent / "recovered"
    first = marker.read_text(encoding="ascii") if marker.exists() else ""
    renamed = []
    # as texts: of a marker that was torn there is only a beginning, so more is listed
    for folder in (f"{RAW}/dt={day}" for day in found if day.isoformat() >= first):
        for name in hdfs.names(folder):
            if (final := final_name(name)) is not None:
                hdfs.rename(f"{folder}/{name}", f"{folder}/{final}")
                renamed.append(f"{folder}/{final}")
    # a date still to come is of a clock that was wrong; today's may be another one in Flume's zone
    newest = min(found[-1], (today or datetime.now(tz=UTC).date()) - DAY_BEFORE)
    marker.write_text(newest.isoformat(), encoding="ascii")
    return renamed


def _close_all(tool: Tool) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while still_open := open_files(tool(ADMIN, ("-listOpenFiles", "-path", RAW))):
        if time.monotonic() > end:
            raise Unavailable(
                f"HDFS does not close {still_open[0]}; is the DataNode up? The agent tries again."
            )
        for path in still_open:
            tool(DEBUG, ("recoverLease", "-path", path, "-retries", "1"))
