"""The answer key: what a run has written, so that `verify --answer-key` can find all of it again.

Tab-separated text in ASCII, the header and then a row for each line, in the order of writing:

    identity  the line's bytes before its fifth `|` (all of them where it has fewer); what is not
              printable ASCII, and the backslash, as \\xNN
    hash      MD5 of the line without its end, as 32 hexadecimal digits
    amount    the ninth field as it stands; empty for a malformed line
    fault     what was planted: empty, or a name of producer/faults.py, `malformed:REASON`

A row is written when its line is in the log, by one write. So a kill leaves a key that is right up
to its last line end: what follows it is no row, and the log may hold one line that the key lacks,
which is a line like any other that no key tells of. A key that is there already is gone on with.
"""

import fcntl
import hashlib
import os
import stat
from pathlib import Path
from typing import Final, Self

from pipeline.errors import Refused
from producer.faults import MALFORMED, Written
from producer.growing import NoRoom, append, room, take_back

HEADER: Final = b"identity\thash\tamount\tfault\n"


class AnswerKey:
    """One writer's key, locked while it lives; closed as a context manager.

    Raises Refused for a file that is no key, or that another run writes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        except OSError as error:
            raise Refused(
                f"The answer key {path} cannot be written ({error.strerror}); give another file."
            ) from error
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def write(self, written: Written) -> None:
        """Add the row of a line that is in the log; raises NoRoom on a full disk."""
        self._append(row(written))

    def close(self) -> None:
        """Close the file and give up its lock."""
        os.close(self._file)

    def _begin(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(
                f"The answer key {self._path} is written by another run; give another file."
            ) from error
        status = os.fstat(self._file)
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{self._path} is no ordinary file; give another one for the answer key.")
        self._size = status.st_size
        head = os.pread(self._file, len(HEADER), 0)
        if head == HEADER:
            take_back(self._file)
            self._size = os.fstat(self._file).st_size
        elif HEADER.startswith(head):
            os.ftruncate(self._file, 0)
            self._size = 0
            self._append(HEADER)
        else:
            raise Refused(f"{self._path} is there and is no answer key; give another file.")

    def _append(self, text: bytes) -> None:
        try:
            with room("row of the answer key", self._path):
                self._size = append(self._file, self._size, text)
        except NoRoom as error:
            raise NoRoom(f"{error} The line of that row is in the log.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def row(written: Written) -> bytes:
    """Give a line's row, with its end."""
    line = written.line.removesuffix(b"\n")
    fields = line.split(b"|")
    amount = b"" if written.fault.startswith(MALFORMED) else fields[8]
    identity = printable(b"|".join(fields[:5]))
    digest = hashlib.md5(line, usedforsecurity=False).hexdigest()
    return f"{identity}\t{digest}\t{amount.decode()}\t{written.fault}\n".encode()


def printable(text: bytes) -> str:
    r"""Show what is not printable ASCII, and the backslash, as \xNN."""
    return "".join(
        chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x5C else f"\\x{byte:02X}" for byte in text
    )
