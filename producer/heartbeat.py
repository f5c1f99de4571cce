"""The running producer's sign of life, which the watcher looks for."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipeline.errors import LoyaltyError
from pipeline.places import Places

EVERY_SECONDS: Final = 5
QUIET_SECONDS: Final = 30
"""A producer that has given no sign for so long hangs: it gives one also when it has nothing to
write, or no room.
"""


def heartbeat_file(places: Places) -> Path:
    """Give the file whose time is that of the last sign."""
    return places.producer / "alive"


class Heartbeat:
    """Gives a sign of life, at most every five seconds."""

    def __init__(self, places: Places) -> None:
        self._file = heartbeat_file(places)
        self._next = time.monotonic()

    def beat(self) -> None:
        """Give a sign if it is time; where there is no room for the file, later."""
        if (now := time.monotonic()) >= self._next:
            with suppress(OSError):
                self._file.touch()
            self._next = now + EVERY_SECONDS


def demand_heartbeat(places: Places) -> None:
    """Raise LoyaltyError where the running producer has given no sign for too long."""
    try:
        seconds = time.time() - heartbeat_file(places).stat().st_mtime
    except FileNotFoundError:
        raise LoyaltyError("the producer has given no sign of life yet") from None
    if seconds > QUIET_SECONDS:
        raise LoyaltyError(f"the producer has given no sign of life for {seconds:.0f} s")
