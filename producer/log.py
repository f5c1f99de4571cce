"""The order log: how lines get into the files that Flume tails.

Each writer has a file of its own, `orders-YYYYMMDD-NNNNNN.log`, and holds a lock on it while it
lives; any number of writers may run. A file only grows, by whole lines, and is never renamed. The
one thing ever taken back is a last line without its end (a full disk, a kill): no reader has taken
it, for it is no line yet.
"""

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self
from zoneinfo import ZoneInfo

from pipeline.errors import Refused
from producer.growing import NoRoom, append, room, take_back

_NAME: Final = re.compile(r"orders-[0-9]{8}-[0-9]{6}\.log")


def now_ms() -> int:
    """Give the time in epoch milliseconds (UTC)."""
    return time.time_ns() // 1_000_000


class OrderLog:
    """One writer's files in `folder`, named by the date in `zone`; closed as a context manager.

    A new file is begun when a line would make the old one larger than `roll_mib`, when it is
    `roll_minutes` old, and on a new date. Starting a writer also mends what killed ones left.
    """

    def __init__(
        self,
        folder: Path,
        zone: ZoneInfo,
        roll_mib: int,
        roll_minutes: int,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._folder = folder
        self._zone = zone
        self._roll_bytes = roll_mib << 20
        self._roll_ms = roll_minutes * 60_000
        self._clock = clock
        self._file = -1
        self._size = 0
        self._until = 0
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        except FileNotFoundError as error:  # as below /proc
            raise Refused(f"{folder} cannot be made ({error.strerror}); give another.") from error
        mend(folder)

    def write(self, lines: bytes) -> None:
        """Append one line or several, each with its end, by one write.

        Raises NoRoom; the same call may be repeated then, without the bytes that it has `taken`.
        """
        now = self._clock()
        is_full = self._size and self._size + len(lines) > self._roll_bytes
        if now >= self._until or is_full:
            self._begin(now)
        before = self._size
        try:
            with room("order line", self._folder):
                self._size = append(self._file, before, lines)
        except NoRoom as error:
            self._size = os.fstat(self._file).st_size
            error.taken = self._size - before
            raise

    def close(self) -> None:
        """Close the file and give up its lock; the next line begins another."""
        if self._file >= 0:
            os.close(self._file)
            self._file, self._size, self._until = -1, 0, 0

    def _begin(self, now: int) -> None:
        self.close()
        local = datetime.fromtimestamp(now / 1000, tz=UTC).astimezone(self._zone)
        day = local.strftime("%Y%m%d")
        names = [path.name for path in files(self._folder) if path.name[7:15] == day]
        number = int(names[-1][16:-4]) if names else 0
        with room("order line", self._folder):
            while self._file < 0:
                number += 1
                self._file = _create(self._folder / f"orders-{day}-{number:06}.log")
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self._until = min(now + self._roll_ms, int(midnight.timestamp() * 1000))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def files(folder: Path) -> Iterator[Path]:
    """Give our writers' files in the order of their names. Tills may have files of other names."""
    yield from sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def mend(folder: Path) -> list[Path]:
    """Take back last lines without an end where the writer is gone; give the mended files."""
    mended = []
    for path in files(folder):
        with locked(path) as file:
            if file is not None and take_back(file):
                mended.append(path)
    return mended


@contextmanager
def locked(path: Path) -> Iterator[int | None]:
    """Open a file whose writer is gone, to read and write; None where it lives, without one, and
    where we may not: it is another user's then, who mends it.
    """
    try:
        file = os.open(path, os.O_RDWR)
    except OSError:
        yield None
        return
    try:
        yield file if _lock(file) else None
    finally:
        os.close(file)


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _create(path: Path) -> int:
    """Create and lock a file; -1 where another writer was faster."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o640)
    except FileExistsError:
        return -1
    # waits at most for a starting writer that is just looking for torn lines here
    fcntl.flock(file, fcntl.LOCK_EX)
    return file
