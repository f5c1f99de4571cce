"""Files that only grow, by whole lines: a line is in one whole, or not even in part."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.errors import LoyaltyError

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_BLOCK: Final = 65_536


class NoRoom(LoyaltyError):
    """The disk (or a quota) is full. No line is in the file in part.

    taken: bytes of the lines that got in, of several; the others are still to be written.
    """

    taken = 0


def append(file: int, size: int, lines: bytes) -> int:
    """Add whole lines at the end by one write, and give the new size; `size` is the one before.

    Whatever goes wrong, no line is in the file in part when OSError is raised. Lines that are in
    whole by then stay, for a reader may have them: the file's size tells of them.
    """
    try:
        written = os.write(file, lines)
        if written < len(lines):
            size += lines.rfind(b"\n", 0, written) + 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # noqa: TRY301
    except OSError:
        os.ftruncate(file, size)
        raise
    return size + len(lines)


def take_back(file: int) -> bool:
    """Take back a last line without its end; tells whether there was one."""
    end = last_line_end(file)
    if end == os.fstat(file).st_size:
        return False
    os.ftruncate(file, end)
    return True


def last_line_end(file: int) -> int:
    """Find the offset behind the last line end; 0 without one."""
    end = os.fstat(file).st_size
    while end > 0:
        start = max(0, end - _BLOCK)
        if (found := os.pread(file, end - start, start).rfind(b"\n")) >= 0:
            return start + found + 1
        end = start
    return 0


@contextmanager
def room(what: str, where: Path) -> Iterator[None]:
    """Turn a full disk into NoRoom: no room for another `what` in `where`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise NoRoom(
            f"No room for another {what} in {where} ({error.strerror}); make room on that disk."
        ) from error
