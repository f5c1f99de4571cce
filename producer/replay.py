"""A point-of-sale export into the order log; its rejected rows into a file of their own."""

import csv
import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from pipeline.errors import Refused
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

    It is made with the first of them, so a clean export leaves none. Bytes that are not UTF-8
    stay as they were. Never writes over a file: raises Refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: IO[str] | None = None

    def write(self, row: Rejected) -> None:
        """Add a row."""
        if self._stream is None:
            self._stream = self._create()
            csv.writer(self._stream).writerow(_HEADER)
        raw = row.raw.decode("utf-8", "surrogateescape")
        csv.writer(self._stream).writerow((row.row, row.reason, raw))

    def _create(self) -> io.TextIOWrapper:
        self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        try:
            file = self.path.open("x", newline="", encoding="utf-8", errors="surrogateescape")
        except FileExistsError as error:
            raise Refused(
                f"{self.path} is there already; move it away, or give --rejected another name."
            ) from error
        self.path.chmod(0o640)
        return file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()


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
