"""The order log files as lines."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from pipeline.places import tailed_files

CUT_BYTES: Final = 65_536
"""Flume's interceptor cuts what is longer (programme, section 2)."""
_BLOCK: Final = 4 << 20
_CARRIED: Final = CUT_BYTES + 2
"""Of a line longer than a block no more is kept: what follows is cut off in any case."""


class LogFile(NamedTuple):
    """A file and the end of its last complete line, in bytes, when it was looked at."""

    path: Path
    inode: int
    end: int


def log_files(folder: Path) -> list[LogFile]:
    """List the files that Flume tails (`orders.*\\.log`), in the order of their names."""
    found = []
    for path in tailed_files(folder):
        try:
            found.append(LogFile(path, path.stat().st_ino, complete_end(path)))
        except FileNotFoundError:  # its retention ended just now
            continue
    return found


def complete_end(path: Path) -> int:
    """Give the offset after the last line end; what follows it is no line yet.

    The producer has the like (`producer/growing.py`); verify takes nothing from those it judges.
    """
    with path.open("rb") as file:
        end = file.seek(0, 2)
        while end > 0:
            start = max(0, end - _BLOCK)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def read_log(path: Path, start: int, stop: int) -> Iterator[pa.Table]:
    """Give the complete lines between two offsets as they reach the topic (column `line`).

    As Flume does it: split at LF only, one CR before it goes, then the cut. A file that is gone
    gives nothing: its retention has ended.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(start)
        carried = b""
        while start < stop and (block := file.read(min(_BLOCK, stop - start))):
            start += len(block)
            *lines, carried = (carried + block).split(b"\n")
            carried = carried[:_CARRIED]
            yield pa.table({"line": pa.array(map(as_delivered, lines), pa.binary())})


def as_delivered(line: bytes) -> bytes:
    """Give what Flume makes of a line without its LF."""
    return line.removesuffix(b"\r")[:CUT_BYTES]
