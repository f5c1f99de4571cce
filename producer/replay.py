"""A point-of-sale export into the order log; its rejected rows into a file of their own."""

import csv
import io
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, Self

from pipeline.errors import Refused
from producer.growing import append, room
from producer.receipts import Export, Rejected

_HEADER: Final = ("row", "reason", "raw")


@dataclass(slots=True)
class Replayed:
    """What a replay has done so far. amount is the sum over the lines written."""

    lines: int = 0
    rejected: int = 0
    amount: Decimal = Decimal("0.00")
    seconds: float = 0.0

    def report(self) -> dict[str, object]:
        """Give the closing report, as --json prints it."""
        return {
            "rows": self.lines + self.rejected,
            "lines": self.lines,
            "amount": str(self.amount),
            "rejected": self.rejected,
            "seconds": round(self.seconds, 3),
        }


class RejectedRows:
    """The file of rejected rows: CSV with row number (the header is row 1), reason, raw row.

    It is made with the first of them, so a clean export leaves none; `check` tells before whether
    it can be made. Bytes that are not UTF-8 stay as they were. Never writes over a file: raises
    Refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        self._size = 0

    def check(self) -> None:
        """Refuse a file that is there, and a folder where none can be made."""
        if os.path.lexists(self.path):
            raise self._is_there()
        folder = next(parent for parent in self.path.absolute().parents if parent.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise Refused(
                f"{self.path} cannot be made, for {folder} is no folder that you may write to; "
                "give --rejected another name."
            )

    def write(self, row: Rejected) -> None:
        """Add a row whole; raises NoRoom on a full disk."""
        with room("rejected row", self.path):
            if self._file < 0:
                self._create()
                self._append(_HEADER)
            self._append((row.row, row.reason, row.raw.decode("utf-8", "surrogateescape")))

    def _append(self, fields: Iterable[object]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerow(fields)
        line = text.getvalue().encode("utf-8", "surrogateescape")
        self._size = append(self._file, self._size, line)

    def _create(self) -> None:
        self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        try:
            self._file = os.open(
                self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o640
            )
        except FileExistsError as error:
            raise self._is_there() from error

    def _is_there(self) -> Refused:
        return Refused(
            f"{self.path} is there already; move it away, or give --rejected another name."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._file >= 0:
            os.close(self._file)


def rejected_file(folder: Path, export: Path, now: datetime) -> Path:
    """Give a name for an export's rejected rows: `NAME-YYYYMMDD-HHMMSS.csv`."""
    return folder / f"{export.stem}-{now:%Y%m%d-%H%M%S}.csv"


def replay(
    export: Export,
    write: Callable[[bytes], object],
    rejects: RejectedRows,
    done: Replayed,
    *,
    progress: Callable[[], object],
) -> None:
    """Write every good row, set every other aside; `done` holds what is written, also on errors.

    progress is called after each row.
    """
    began = time.monotonic()
    for row in export.rows():
        if isinstance(row, Rejected):
            rejects.write(row)
            done.rejected += 1
        else:
            write(row.text)
            done.lines += 1
            done.amount += row.order.amount
        done.seconds = time.monotonic() - began
        progress()
