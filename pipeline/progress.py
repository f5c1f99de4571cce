"""Progress of whatever may take longer than two seconds: one look, on stderr alone.

On a terminal one live line, which goes at the end; elsewhere, and with NO_COLOR, a plain line
every ten seconds. A stage knows `Progress` only: it says what is done, of how much.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.console import err, is_plain

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import Task

Progress = Callable[[int, int | None], object]
"""Is told (done, total) as often as one likes; total is None where nobody knows it."""

Begin = Callable[[str, str], Progress]
"""Begins a piece of work: its title, and the plural of what is counted; "" counts nothing."""

LIVE_SECONDS: Final = 0.2
PLAIN_SECONDS: Final = 10


def unseen(_done: int, _total: int | None) -> None:
    """Show nothing: the progress of who has no user."""


def begin_unseen(_title: str, _unit: str) -> Progress:
    """Begin a piece of work of which nothing is shown."""
    return unseen


def counted(batches: Iterable[Any], progress: Progress, total: int | None) -> Iterator[Any]:
    """Give Arrow tables on, and tell how many rows have been taken of about so many."""
    rows = 0
    for batch in batches:
        yield batch
        rows += batch.num_rows
        progress(rows, total)


@contextmanager
def display() -> Iterator[Begin]:
    """Show the progress of the body, of one piece of work at a time."""
    if err.is_terminal and not is_plain():
        with _bars() as bars:
            yield _Live(bars).begin
    else:
        yield _Plain().begin


@contextmanager
def working(title: str, unit: str = "") -> Iterator[Progress]:
    """Show the progress of a body that is one piece of work."""
    with display() as begin:
        yield begin(title, unit)


class _Live:
    def __init__(self, bars: "Bars") -> None:
        self._bars = bars

    def begin(self, title: str, unit: str) -> Progress:
        bars = self._bars
        for task in bars.task_ids:
            bars.remove_task(task)
        task = bars.add_task(title, total=None, unit=unit)
        due = 0.0

        def tell(done: int, total: int | None) -> None:
            nonlocal due
            now = time.monotonic()
            if now >= due or done == total:
                due = now + LIVE_SECONDS
                # an estimate may be too low
                bars.update(task, completed=done, total=total and max(done, total))

        return tell


class _Plain:
    def __init__(self) -> None:
        self._due = time.monotonic() + PLAIN_SECONDS

    def begin(self, title: str, unit: str) -> Progress:
        begun = time.monotonic()

        def tell(done: int, total: int | None) -> None:
            now = time.monotonic()
            if now >= self._due:
                self._due = now + PLAIN_SECONDS
                words = describe(done, total, unit, now - begun)
                err.print(f"{title}: {words}", markup=False, soft_wrap=True)

        return tell


def describe(done: int, total: int | None, unit: str, seconds: float) -> str:
    """Say `1,200 of 4,000 lines, 600/s, 0:00:05 left`, as far as it is known."""
    rate = done / seconds if seconds else 0
    words = [f"{_amount(done, unit)}{f' of {_amount(total, unit)}' if total else ''}"]
    if unit != "bytes":
        words[0] += f" {unit}"
    if rate:
        often, per = (rate, "s") if rate >= 1 else (60 * rate, "min")
        words.append(f"{_amount(often, unit)}/{per}")
    if total and rate:
        words.append(f"{_clock((max(done, total) - done) / rate)} left")
    else:
        words.append(f"{_clock(seconds)} so far")
    return ", ".join(words)


def _amount(number: float, unit: str) -> str:
    """Give a number; bytes as kB, MB and GB."""
    if unit == "bytes":
        from rich.filesize import decimal

        return decimal(int(number))
    return f"{number:,.1f}" if number < 10 and number != int(number) else f"{number:,.0f}"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _bars() -> "Bars":
    from rich.progress import BarColumn, ProgressColumn, TextColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Numbers(ProgressColumn):
        """What is done of how much, the rate, the time left: nothing where nothing is counted."""

        def render(self, task: "Task") -> Text:
            unit, total = task.fields["unit"], None if task.total is None else int(task.total)
            if not unit or not task.completed:
                return Text(_clock(task.elapsed or 0), style="dim")
            return Text(describe(int(task.completed), total, unit, task.elapsed or 0))

    columns: list[Any] = [TextColumn("{task.description}", markup=False), BarColumn(8), Numbers()]
    # what a command prints on stdout goes there, and nowhere else
    return Bars(
        *columns, console=err, transient=True, refresh_per_second=4,
        redirect_stdout=False, redirect_stderr=False,
    )  # fmt: skip
