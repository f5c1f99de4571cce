"""Foreground runs: invented receipts or given lines, written by the same writer as everything."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import add
from typing import IO
from zoneinfo import ZoneInfo

from pipeline.errors import Refused, UsageError
from pipeline.order import MAX_LINE_BYTES
from producer.clock import FIRST_MS, LAST_MS
from producer.faults import Planter, Written
from producer.log import now_ms
from producer.pace import Pace
from producer.shape import After, on_monotonic

Write = Callable[[bytes], object]
Record = Callable[[Written], object]
Progress = Callable[[int], object]
"""Is told what was done since it was told last: orders, lines, or bytes of the input."""


@dataclass(slots=True)
class Tally:
    """What a run has written so far; size in bytes.

    orders is None where lines are only passed on.
    """

    orders: int | None = 0
    lines: int = 0
    size: int = 0
    seconds: float = 0.0

    @property
    def lines_per_second(self) -> float:
        """Lines a second over the whole run."""
        return self.lines / self.seconds if self.seconds else 0.0

    def add(self, line: bytes) -> None:
        """Count a line with its end, when it is written."""
        self.lines += 1
        self.size += len(line)

    def report(self) -> dict[str, object]:
        """Give the closing report, as --json prints it."""
        return {
            "orders": self.orders,
            "lines": self.lines,
            "bytes": self.size,
            "seconds": round(self.seconds, 3),
            "lines_per_second": round(self.lines_per_second, 1),
        }


def instants(start_ms: int, interval_ns: int, count: int, after: After = add) -> Iterator[int]:
    """Give each order's instant (epoch ms): start, start + interval …; `max` is 1 ms apart.

    after: the clock that the interval is measured on. Raises UsageError before the first where an
    order line cannot hold the last.
    """
    check_instant(start_ms)
    check_instant(last_instant(start_ms, interval_ns, count, after))
    return (last_instant(start_ms, interval_ns, number, after) for number in range(1, count + 1))


def last_instant(start_ms: int, interval_ns: int, count: int, after: After = add) -> int:
    """Give the instant (epoch ms) of the last of so many orders from `start_ms` on."""
    interval = interval_ns or 1_000_000
    return after(start_ms * 1_000_000, (count - 1) * interval) // 1_000_000


def now_at(interval_ns: int, count: int, after: After = add) -> Iterator[int]:
    """Give the time (epoch ms) at which each order is due, when it is due, without drift."""
    pace = Pace(interval_ns, time.monotonic_ns(), after=on_monotonic(after))
    for _ in range(count):
        while not pace.take(now := time.monotonic_ns()):
            time.sleep(pace.wait_ns(now) / 1e9)
        yield now_ms()


def now_for(interval_ns: int, seconds: float, after: After = add) -> Iterator[int]:
    """Give the time (epoch ms) at which each order is due, when it is due, for some seconds."""
    now = time.monotonic_ns()
    end = now + round(seconds * 1e9)
    pace = Pace(interval_ns, now, after=on_monotonic(after))
    while now < end:
        if pace.take(now):
            yield now_ms()
        else:
            time.sleep(min(pace.wait_ns(now), end - now) / 1e9)
        now = time.monotonic_ns()


def write_orders(
    planter: Planter,
    when: Iterable[int],
    write: Write,
    tally: Tally,
    *,
    record: Record,
    progress: Progress,
) -> None:
    """Write a receipt at each instant of `when`; tally holds what is written, also on errors.

    record is told of each line when it is written.
    """
    began = time.monotonic()

    def put(lines: Iterable[Written]) -> None:
        for written in lines:
            write(written.line)
            record(written)
            tally.add(written.line)
        tally.seconds = time.monotonic() - began

    for number, instant in enumerate(when, start=1):
        put(planter.receipt(instant))
        tally.orders = number
        progress(1)
    put(planter.rest())


def write_lines(stream: IO[bytes], write: Write, tally: Tally, progress: Progress) -> None:
    """Pass lines on byte for byte, good or bad; a last line without its end gets one.

    Raises Refused at a line of more than 65,536 bytes without its end. Where the stream can be
    read twice, nothing is written then; else the lines before it are.
    """
    tally.orders = None
    began = time.monotonic()
    if stream.seekable():
        start = stream.tell()
        for _ in _lines(stream, tally):
            pass
        stream.seek(start)
    for line in _lines(stream, tally):
        write(line)
        tally.add(line)
        tally.seconds = time.monotonic() - began
        progress(len(line))


def _lines(stream: IO[bytes], tally: Tally) -> Iterator[bytes]:
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 2):
        number += 1
        if len(line.removesuffix(b"\n")) > MAX_LINE_BYTES:
            raise Refused(
                f"Line {number:,} is longer than {MAX_LINE_BYTES:,} bytes; lines written before it:"
                f" {tally.lines:,}. Take it out and try again."
            )
        yield line if line.endswith(b"\n") else line + b"\n"


def parse_start(text: str, zone: ZoneInfo) -> int:
    """Read an instant: epoch ms, or ISO; without an offset it is local time in `zone`.

    Gives epoch ms; raises UsageError.
    """
    try:
        if text.isascii() and text.isdigit() and len(text) == 13:
            start = int(text)
        else:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=zone)
            start = round(moment.astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is no instant; give 2026-07-01T08:00:00-04:00 or 13 digits of epoch"
            " milliseconds."
        ) from error
    return check_instant(start)


def check_instant(instant_ms: int) -> int:
    """Give the instant back if an order line can hold it; raises UsageError."""
    if not FIRST_MS <= instant_ms <= LAST_MS:
        raise UsageError(
            "An order's time has 13 digits of epoch milliseconds, from 2001-09-09 to 2286-11-20;"
            " give another --start or fewer orders."
        )
    return instant_ms
