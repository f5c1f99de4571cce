"""What a drill has found: one row for each thing that was done, and the count at the end."""

from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Row:
    """One kill, or one other thing that was done to a component.

    killed and answers are pids (0 where no process was ended); seconds until it answered its real
    question again; lines that the till wrote meanwhile; `done` says what was done: `SIGKILL`, a
    fault point's name.
    """

    component: str
    done: str
    killed: int
    answers: int
    seconds: float
    lines: int


@dataclass(frozen=True, slots=True)
class Count:
    """Distinct lines lost, duplicated and wrong, and sentences about the first of them."""

    lines: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: int = 0
    differences: list[str] = field(default_factory=list)

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.lines + other.lines, self.lost + other.lost,
            self.duplicated + other.duplicated, self.wrong + other.wrong,
            self.differences + other.differences,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole drill. complaints: why it proves nothing, or what else was not as it must be.

    rate: lines a second that the till wrote while it lived; 0 for a drill without one.
    """

    rows: list[Row]
    count: Count
    complaints: list[str] = field(default_factory=list)
    rate: float = 0

    @property
    def ok(self) -> bool:
        """Tell whether nothing was lost, doubled or wrong, and everything was done."""
        count = self.count
        zeros = not (count.lost or count.duplicated or count.wrong or count.differences)
        return zeros and not self.complaints

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.rows + other.rows, self.count + other.count, self.complaints + other.complaints,
            min(self.rate, other.rate) or max(self.rate, other.rate),
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Give the object that `drill --json` prints."""
        return {
            "ok": self.ok,
            "kills": sum(row.killed > 0 for row in self.rows),
            "lines": self.count.lines,
            "lines_per_second": round(self.rate, 1),
            "lost": self.count.lost,
            "duplicated": self.count.duplicated,
            "wrong": self.count.wrong,
            "rows": [asdict(row) for row in self.rows],
            "differences": self.count.differences,
            "complaints": self.complaints,
        }


def sentence(row: Row) -> str:
    """Say one row."""
    hit = f" (process {row.killed})" if row.killed else ""
    return (
        f"{row.component} {row.done}{hit}: process {row.answers} answers after"
        f" {row.seconds:.1f} s, {row.lines:,} lines meanwhile"
    )


def show(outcome: Outcome, out: Console) -> None:
    """Print the table, the differences, the complaints and the verdict."""
    out.print(_table(outcome.rows))
    for sentence in (*outcome.count.differences, *outcome.complaints):
        out.print(f"[red]{escape(sentence)}[/red]")
    colour = "green" if outcome.ok else "red"
    out.print(f"[{colour}]{verdict(outcome)}[/{colour}]")


def verdict(outcome: Outcome) -> str:
    """Say what was counted."""
    count = outcome.count
    pace = f" at {outcome.rate:,.0f} lines/s" if outcome.rate else ""
    return (
        f"{count.lines:,} lines{pace}: {count.lost:,} lost, {count.duplicated:,} duplicated,"
        f" {count.wrong:,} wrong"
    )


def _table(rows: list[Row]) -> Table:
    """Give a line for each row; or, where the same was done several times, for each thing done."""
    done: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        done.setdefault((row.component, row.done), []).append(row)
    if len(done) == len(rows):
        table = _empty("pid", "answers", "seconds", "lines meanwhile")
        for row in rows:
            table.add_row(
                row.component, row.done, str(row.killed or ""), str(row.answers or ""),
                f"{row.seconds:.1f}", f"{row.lines:,}",
            )  # fmt: skip
        return table
    table = _empty("times", "seconds: least", "median", "most", "lines meanwhile")
    for name, same in done.items():
        seconds = [row.seconds for row in same]
        table.add_row(
            *name, str(len(same)), f"{min(seconds):.1f}", f"{median(seconds):.1f}",
            f"{max(seconds):.1f}", f"{sum(row.lines for row in same):,}",
        )  # fmt: skip
    return table


def _empty(*columns: str) -> Table:
    table = Table("component", "done", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right")
    return table
