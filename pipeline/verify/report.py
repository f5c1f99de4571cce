"""What verify has found: totals per hop and date, counts, differences; as JSON and in sentences."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.verify.cut import describe

SHOWN_BYTES: Final = 300
FEW_DATES: Final = 3
"""With so few dates they are shown without being asked for."""


@dataclass(frozen=True, slots=True)
class Totals:
    """A hop's lines of one business date (None: lines that have none).

    distinct, amount (sum over distinct lines) and hash (XOR of the lines' MD5) do not depend on
    order or on repetition, so they are the same wherever the same lines are.
    """

    hop: str
    day: date | None
    lines: int
    distinct: int
    amount: Decimal
    hash: int

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.hop, None, self.lines + other.lines, self.distinct + other.distinct,
                      self.amount + other.amount, self.hash ^ other.hash)  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """Give the four figures as JSON has them."""
        return {"lines": self.lines, "distinct": self.distinct,
                "amount": f"{self.amount:.2f}", "hash": f"{self.hash:032x}"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """A wrong line: the hop where it went wrong first; missing, foreign, double, wrong or count.

    line is None where the fault is not one line's.
    """

    hop: str
    kind: str
    line: bytes | None
    says: str

    def sentence(self) -> str:
        """Say it in one sentence: hop, line, what is wrong."""
        if self.line is None:
            return f"{self.hop}: {self.says}."
        return f"{self.hop}: line «{shown(self.line)}» {self.says}."


@dataclass(frozen=True, slots=True)
class Counts:
    """Offsets of the topic before the cut, and what became of them."""

    lines: int
    clean: int
    duplicates: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """Rows of the key up to the cut; distinct lines lost, duplicated, wrong; planted rows, found.

    A planted fault is found when its line became what the key says.
    """

    lines: int
    lost: int
    duplicated: int
    wrong: int
    planted: int
    found: int

    def to_json(self) -> dict[str, int]:
        """Give the counts by name."""
        return asdict(self)

    def sentence(self) -> str:
        """Say it in one line."""
        return (
            f"answer key: {self.lines:,} lines, {self.lost:,} lost, {self.duplicated:,} duplicated,"
            f" {self.wrong:,} wrong; {self.found:,} of {self.planted:,} planted faults found"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """The whole result. found: how many differences there are, of which some are listed. unsure:
    lines that were FUTURE once, are no rows, and may have counted later for all that is known.
    """

    counts: Counts
    hops: list[Totals]
    differences: list[Difference]
    found: int
    behind: dict[str, int] = field(default_factory=dict)
    key: KeyCounts | None = None
    unsure: int = 0

    @property
    def ok(self) -> bool:
        """Tell whether no rule was broken."""
        return self.found == 0

    def by_hop(self) -> Iterator[tuple[str, Totals, list[Totals]]]:
        """Give each hop with its totals over all dates and its dates."""
        for hop in dict.fromkeys(totals.hop for totals in self.hops):
            days = [totals for totals in self.hops if totals.hop == hop]
            zero = Totals(hop, None, 0, 0, Decimal(0), 0)
            yield hop, sum(days, start=zero), days

    def to_json(self) -> dict[str, Any]:
        """Give the object that `verify --json` prints."""
        return {
            "ok": self.ok,
            "counts": {
                "lines": self.counts.lines, "clean": self.counts.clean,
                "duplicates": self.counts.duplicates, "quarantined": self.counts.quarantined,
            },
            "hops": [
                {"hop": hop} | total.to_json()
                | {"dates": [{"date": _day(d.day)} | d.to_json() for d in days]}
                for hop, total, days in self.by_hop()
            ],
            "differences": [
                {"hop": d.hop, "kind": d.kind, "line": None if d.line is None else shown(d.line),
                 "says": d.sentence()}
                for d in self.differences
            ],
            "found": self.found,
            "unsure": self.unsure,
            "behind": self.behind,
        } | ({"key": self.key.to_json()} if self.key else {})  # fmt: skip


def shown(line: bytes) -> str:
    """Give a line as text: what is no UTF-8 or no printable character as \\xNN, long ones cut."""
    text = line[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(line) <= SHOWN_BYTES else f"{text}… ({len(line):,} bytes)"


def show(outcome: Outcome, out: Console, *, dates: bool) -> None:
    """Print the table, the differences one sentence each, and the verdict."""
    few = len({totals.day for totals in outcome.hops}) <= FEW_DATES
    out.print(_table(outcome, dates=dates or few), width=max(out.width, 100), crop=False)
    for difference in outcome.differences:
        out.print(escape(difference.sentence()))
    if left := outcome.found - len(outcome.differences):
        out.print(f"… and {left:,} more.")
    counts = outcome.counts
    out.print(
        f"{counts.lines:,} lines = {counts.clean:,} clean + {counts.duplicates:,} duplicates"
        f" + {counts.quarantined:,} quarantined"
        if counts.lines
        else "the topic has none of these lines; the other hops are compared with each other"
    )
    if outcome.key:
        out.print(outcome.key.sentence())
    verdict = f"[red]{outcome.found:,} differences[/red]"
    if outcome.ok and outcome.unsure:
        verdict = "[yellow]every hop has the same lines, but for what is unknown[/yellow]"
    elif outcome.ok:
        verdict = "[green]every hop has the same lines[/green]"
    if outcome.unsure:
        out.print(
            f"{outcome.unsure:,} lines that were FUTURE once are no rows, and the topic holds too "
            "little by now to tell whether they counted later; `./loyalty quarantine replay "
            "--reason FUTURE` sends them again: each counts once then."
        )
    limit = f", as far as was compared: {describe(outcome.behind)}; --wait waits"
    out.print(verdict + (limit if outcome.behind else ""))


def _table(outcome: Outcome, *, dates: bool) -> Table:
    table = Table("hop", "date", box=None, pad_edge=False)
    for column in ("lines", "distinct", "amount"):
        table.add_column(column, justify="right")
    table.add_column("content hash", no_wrap=True)
    for hop, total, days in outcome.by_hop():
        _add(table, hop, "all", total)
        for day in days if dates else ():
            _add(table, "", _day(day.day), day)
    return table


def _add(table: Table, hop: str, day: str, totals: Totals) -> None:
    table.add_row(hop, day, f"{totals.lines:,}", f"{totals.distinct:,}",
                  f"{totals.amount:,.2f}", f"{totals.hash:032x}"[:16])  # fmt: skip


def _day(day: date | None) -> str:
    return day.isoformat() if day else "none"
