"""The order log: how lines get into the files that Flume tails.

Each writer has a file of its own, `orders-YYYYMMDD-NNNNNN.log`, and holds a lock on it while it
lives; any number of writers may run. A file only grows, by one whole line per write, and is never
renamed. The one thing ever taken back is a last line without its end (a full disk, a kill): no
reader has taken it, for it is no line yet.
"""

import errno
import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from zoneinfo import ZoneInfo

from pipeline.errors import LoyaltyError

_NAME: Final = re.compile(r"orders-[0-9]{8}-[0-9]{6}\.log")
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BLOCK: Final = 65_536


class NoRoom(LoyaltyError):
    """The disk (or a quota) is full. The line is not in the file, not even in part."""


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
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        mend(folder)

    def write(self, line: bytes) -> None:
        """Append one line with its end, by one write.

        Raises NoRoom; the same call may be repeated then.
        """
        now = self._clock()
        size = self._size + len(line)
        if now >= self._until or (size > self._roll_bytes and self._size):
            self._begin(now)
            size = len(line)
        try:
            if os.write(self._file, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301
        except OSError as error:
            os.ftruncate(self._file, self._size)
            if error.errno not in _NO_ROOM:
                raise
            raise _no_room(error, self._folder) from error
        self._size = size

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
        try:
            while self._file < 0:
                number += 1
                self._file = _create(self._folder / f"orders-{day}-{number:06}.log")
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            raise _no_room(error, self._folder) from error
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        self._until = min(now + self._roll_ms, int(midnight.timestamp() * 1000))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def files(folder: Path) -> Iterator[Path]:
    """Give our writers' files in the order of their names. Tills may have files of other names."""
    yield from sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def mend(folder: Path) -> list[Path]:
    """Take back last lines without an end where the writer is gone; give the mended files."""
    mended = []
    for path in files(folder):
        with locked(path) as file:
            if file is not None and (end := _last_line_end(file)) < os.fstat(file).st_size:
                os.ftruncate(file, end)
                mended.append(path)
    return mended


@contextmanager
def locked(path: Path) -> Iterator[int | None]:
    """Open a file whose writer is gone, to read and write; None where it lives, or without one."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
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


def _last_line_end(file: int) -> int:
    """Find the offset behind the last line end; 0 without one."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - _BLOCK)
        if (found := os.pread(file, end - start, start).rfind(b"\n")) >= 0:
            return start + found + 1
        end = start
    return 0


def _no_room(error: OSError, folder: Path) -> NoRoom:
    return NoRoom(
        f"No room for another order line in {folder} ({error.strerror}); make room on that disk."
    )
