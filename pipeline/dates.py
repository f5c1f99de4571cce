"""Business dates on the command line: one form, YYYY-MM-DD, and one sentence for any other."""

import re
from datetime import date

from pipeline.errors import UsageError

EXAMPLE = "2026-11-07"
_FIRST, _LAST = date(1999, 1, 1), date(2286, 1, 1)
"""No order is of a date outside: one before 2000 is quarantined, and an instant has 13 digits."""


def parse_date(option: str, text: str) -> date:
    """Read YYYY-MM-DD; raises UsageError, which names the option, for anything else."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):  # fromisoformat also takes 2026-W01-1
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{option} {text!r} is no date; give it as {EXAMPLE}.")


def parse_span(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    """Read --from and --to, either of them missing; raises UsageError.

    A date before or after all orders (0001-01-01, 9999-12-31) becomes the first or the last that
    they can have, whose instants every store can be asked for.
    """
    begin = None if first is None else parse_date("--from", first)
    end = None if last is None else parse_date("--to", last)
    if begin and end and begin > end:
        raise UsageError(f"--from {begin} is after --to {end}; exchange them.")
    return begin and _within(begin), end and _within(end)


def _within(day: date) -> date:
    return min(max(day, _FIRST), _LAST)
