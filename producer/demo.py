"""The running producer: follows the asked rate until it is told to stop."""

import logging
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pipeline.places import Places
from pipeline.programme import MenuItem
from producer.growing import NoRoom
from producer.heartbeat import Heartbeat
from producer.log import OrderLog, now_ms
from producer.members import members_file, read_members
from producer.orders import Till, demo_run
from producer.pace import Pace
from producer.rate import asked, rate_file
from producer.shape import after, on_monotonic
from producer.traffic import Traffic

STOP: Final = (signal.SIGTERM, signal.SIGINT)
"""Blocked in the whole process and asked for between two receipts: a line is never broken off."""

_LOOK_NS: Final = 500_000_000
_TICK_NS: Final = 5_000_000
"""The shortest sleep: at high rates a few orders come together, which costs far less."""
AT_ONCE: Final = 200
"""Orders in one write, and between two questions for a signal, at `max`."""
_NO_ROOM_S: Final = 1.0

_log: Final = logging.getLogger(__name__)


def sell(pace: Pace, till: Till, now: int, write: Callable[[bytes], object]) -> int:
    """Write the orders that are due, some at once by one write; gives their number."""
    if orders := pace.take(now, AT_ONCE):
        instant = now_ms()
        write(till.receipts(instant, orders).encode())
    return orders


class Demo:
    """The loop. `menu` is what is sold; zone: the programme's."""

    def __init__(
        self, places: Places, menu: Sequence[MenuItem], zone: ZoneInfo, log: OrderLog
    ) -> None:
        self._places = places
        self._menu = menu
        self._zone = zone
        self._log = log
        self._run = demo_run()
        self._traffic = Traffic()
        self._till: Till | None = None
        self._pace: Pace | None = None
        self._seen: dict[Path, tuple[int, int] | None] = {}
        self._last_ns: int | None = None
        self._heartbeat = Heartbeat(places)
        self._is_open = False
        """There are members. (A till outlives their absence: it goes on with its order numbers.)"""
        self._stopped = False

    def run(self) -> None:
        """Write orders until SIGTERM or SIGINT, which must be blocked, arrives."""
        look_ns = 0
        while not self._stopped:
            now = time.monotonic_ns()
            if now >= look_ns:
                self._look(now)
                look_ns = now + _LOOK_NS
            wait = look_ns - now
            if self._pace and self._till and self._is_open:
                sell(self._pace, self._till, now, self._write)
                self._last_ns = self._pace.last_ns
                due = self._pace.wait_ns(now)
                wait = min(wait, max(due, _TICK_NS)) if due else 0
            self._sleep(wait / 1e9)

    def _write(self, lines: bytes) -> None:
        """Write lines; on a full disk wait for room with those left, or for the end."""
        waited = False
        while not self._stopped:
            try:
                self._log.write(lines)
            except NoRoom as error:
                lines = lines[error.taken :]
                if not waited:
                    _log.warning("%s The producer waits for it.", error)
                waited = True
                self._sleep(_NO_ROOM_S)
            else:
                if waited:
                    _log.info("There is room again.")
                return

    def _look(self, now: int) -> None:
        """Take up another rate and other members."""
        if self._changed(members_file(self._places)):
            self._hire()
        if self._changed(rate_file(self._places)):
            wanted = asked(self._places)
            _log.info("Asked for: %s.", wanted or "nothing yet; `./loyalty rate 30s` asks")
            self._pace = None
            if wanted:
                self._traffic = wanted.traffic
                if self._till:
                    self._till.follow(self._traffic)
            if wanted and not wanted.paused:
                clock = on_monotonic(after(self._traffic.shape, self._zone))
                self._pace = Pace(wanted.rate.interval_ns, now, self._last_ns, clock)

    def _hire(self) -> None:
        members = read_members(self._places)
        self._is_open = bool(members)
        if not members:
            _log.info("No members yet; `./loyalty customers load FILE.csv` brings them.")
        elif self._till:
            self._till.move_to(members)
        else:
            self._till = Till(members, self._menu, self._run, self._run, self._traffic)
        if members:
            _log.info("Orders are drawn from %d members.", len(members))

    def _changed(self, path: Path) -> bool:
        """Tell whether a file is another one than at the last look; yes at the first."""
        try:
            status = path.stat()
            state = (status.st_ino, status.st_mtime_ns)
        except FileNotFoundError:
            state = None
        changed = path not in self._seen or self._seen[path] != state
        self._seen[path] = state
        return changed

    def _sleep(self, seconds: float) -> None:
        self._heartbeat.beat()
        if signal.sigtimedwait(STOP, seconds) is not None:
            self._stopped = True
