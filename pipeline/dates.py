"""Business dates on the command line: one form, YYYY-MM-DD, and one sentence for any other."""

import re
from datetime import date

from pipeline.errors import UsageError

EXAMPLE = "2026-11-07"


def parse_date(option: str, text: str) -> date:
    """Read YYYY-MM-DD; raises UsageError, which names the option, for anything else."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):  # fromisoformat also takes 2026-W01-1
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{option} {text!r} is no date; give it as {EXAMPLE}.")


def parse_span(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    """Read --from and --to, either of them missing; raises UsageError."""
    begin = None if first is None else parse_date("--from", first)
    end = None if last is None else parse_date("--to", last)
    if begin and end and begin > end:
        raise UsageError(f"--from {begin} is after --to {end}; exchange them.")
    return begin, end
