"""Which business dates are compared, and how much of the old stores that needs.

While the topic still holds its first lines, and no dates are asked for, everything is compared.
Later the default is the dates of which log files or topic hold a line, and HDFS raw is read from a
day before the topic's oldest line on: lines of these dates that came earlier are not judged. With
dates asked for, HDFS raw is read from a day before the first of them on, and stands for the lines
that log files and topic hold no longer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pipeline.verify.scratch import Scratch

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """Dates from first to last, both included (None: open); of these only `days`, if given.

    with_none: lines that have no date belong to it too.
    """

    first: date | None = None
    last: date | None = None
    days: frozenset[date] | None = None
    with_none: bool = True

    @property
    def is_everything(self) -> bool:
        """Tell whether no line is left out."""
        return self.first is None and self.last is None and self.days is None

    def wants(self, day: date) -> bool:
        """Tell whether a date belongs to it."""
        return (
            (self.first is None or day >= self.first)
            and (self.last is None or day <= self.last)
            and (self.days is None or day in self.days)
        )

    def condition(self) -> str:
        """Give it as an SQL condition on the column `day`."""
        wanted = ["true"]
        if self.first:
            wanted.append(f"day >= {_literal(self.first)}")
        if self.last:
            wanted.append(f"day <= {_literal(self.last)}")
        if self.days is not None:
            wanted.append(f"day in ({', '.join(map(_literal, sorted(self.days))) or 'null'})")
        dated = f"coalesce({' and '.join(wanted)}, false)"
        return f"(day is null or {dated})" if self.with_none else f"(day is not null and {dated})"

    def instants(self, zone: ZoneInfo) -> tuple[int, int] | None:
        """Give the first instant, and the one after the last, in epoch milliseconds.

        None where an end is open, or for lines without a date.
        """
        first = min(self.days) if self.days else self.first
        last = max(self.days) if self.days else self.last
        if first is None or last is None:
            return None
        return _midnight(first, zone), _midnight(last + _DAY, zone)


def full_condition(scope: Scope, full_from: date | None) -> str:
    """Give the condition on the lines that are judged (columns day, in_log, in_topic).

    full_from: the first date all of whose lines are in the raw folders that were read. Lines of
    earlier dates are judged only where log files or topic still hold them.
    """
    if full_from is None:
        return scope.condition()
    return (
        f"{scope.condition()}"
        f" and (in_log or in_topic or coalesce(day >= {_literal(full_from)}, false))"
    )


def oldest_arrival(scratch: Scratch, scope: Scope) -> date | None:
    """Give the oldest raw folder that is needed, None for all: a day before the oldest message.

    A day before, for the folders' dates are in another time zone. Lines of the log files that the
    topic lacks may be older: they are looked for in all folders.
    """
    condition = scope.condition()
    if scratch.value(
        f"select exists (from log join texts using (h) anti join topic using (h) where {condition})"
    ):
        return None
    oldest = scratch.value(
        f"select min(ts) from topic join texts using (h) where {condition}"  # noqa: S608
    )
    if scope.first is None and (scope.last is not None or oldest is None):
        return None
    arrivals: Iterable[date | None] = (
        scope.first,
        None if oldest is None else datetime.fromtimestamp(oldest / 1000, tz=UTC).date(),
    )
    return min(day for day in arrivals if day) - _DAY


def held_dates(scratch: Scratch, also: frozenset[date]) -> Scope:
    """Give the dates of which log files or topic hold a line, and some more."""
    days = scratch.rows(
        "select distinct day from texts where day is not null"
        " and h in (select h from log union all select h from topic)"
    )
    return Scope(days=also.union(day for (day,) in days))


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, datetime.min.time(), tzinfo=zone).timestamp() * 1000)


def _literal(day: date) -> str:
    return f"date '{day.isoformat()}'"
