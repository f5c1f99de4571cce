"""Raw files that the running agent has failed to close: only the next agent's start closes them.

Flume tries once to close a file, and once to have its lease recovered. Where HDFS is away at both,
the file stays open as long as the agent lives, since its client renews the lease; and where its
DataNode died amid a write nobody can read it meanwhile.
"""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from cluster.asking import HasEnded
from cluster.supervision import Supervisor
from cluster.vitals import age
from pipeline.errors import LoyaltyError
from pipeline.places import RAW
from pipeline.raw import dates
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs, superuser_of

EVERY_SECONDS: Final = 60
YOUNG_SECONDS: Final = 180
"""So old an agent has closed what the one before had left, which takes a minute at most."""
ROLL_MS: Final = 3_600_000
"""After so long at most the agent closes a file (rollInterval in flume.conf)."""
MARGIN_MS: Final = 150_000
"""For the closing, and for the file of a date that is over (idleTimeout)."""
ROLL_MARGIN_MS: Final = 900_000
"""Flume's hour is of another clock than HDFS's."""
_FILE: Final = re.compile(r"(\.?)orders\.([0-9]+)\.log(?:\.tmp)?")
"""A file's name has a number by which later ones are higher; an open one begins with a point. A
file of another name is somebody else's."""
DAY: Final = timedelta(days=1)


def unclosed(hdfs: Hdfs, now_ms: int, root: str = RAW) -> list[str]:
    """Give the files that the agent no longer writes and has not closed, of the last two dates.

    It writes one at a time, which begins when the one before is closed: so one beside a later one,
    open or closed, is left over, and so is one that it should have closed by its age. The time of
    an open file is that of its beginning, of another one that of its end. A date still to come is
    of a clock that was wrong.
    """
    # of any zone
    last = datetime.fromtimestamp(now_ms / 1000, tz=UTC).date() + DAY
    found = [
        (int(read[2]), bool(read[1]), status["modificationTime"], f"{root}/dt={day}/{name}")
        for day in [day for day in dates(hdfs, root) if day <= last][-2:]
        for name, status in hdfs.statuses(f"{root}/dt={day}")
        if (read := _FILE.fullmatch(name))
    ]
    settled = [number for number, _, at, _ in found if at <= now_ms - MARGIN_MS]
    newest = max(settled, default=0)
    return [
        path
        for number, is_open, at, path in sorted(found)
        if is_open and (number < newest or at < now_ms - ROLL_MS - ROLL_MARGIN_MS)
    ]


class Unclosed:
    """Looks for such files once a minute, and at each question while there are some."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._hdfs = superuser_of(settings, timeout=5)
        self._looked = -EVERY_SECONDS
        self._found: list[str] = []

    def demand(self) -> None:
        """Raise HasEnded where there are some: the agent has to be started again. A HDFS that is
        away is not the agent's fault.
        """
        now, process = time.monotonic(), self._supervisor.processes().get("flume")
        # a young one is at it: it closes what was left open before it becomes the agent
        if process is None or not process.pid or age(process.pid) < YOUNG_SECONDS:
            self._found = []
            return
        if not self._found and now < self._looked + EVERY_SECONDS:
            return
        self._looked = int(now)
        try:
            self._found = unclosed(self._hdfs, int(time.time() * 1000))
        except LoyaltyError:
            self._found = []
        if self._found:
            raise HasEnded(f"it has failed to close {self._found[0]}: its next start does that")
