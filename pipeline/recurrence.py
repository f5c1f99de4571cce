"""When something is due, as a setting says it: `5m`, a cron line of five fields, or `off`."""

import re
from calendar import monthrange
from dataclasses import dataclass
from typing import Final

OFF: Final = "off"
_INTERVAL: Final = re.compile(r"([1-9][0-9]{0,5})([smh])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
LEAST_SECONDS: Final = 5
MOST_SECONDS: Final = 7 * 86_400
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_LEAP_YEAR: Final = 2000
_PART: Final = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>[1-9][0-9]?))?")


@dataclass(frozen=True, slots=True)
class Every:
    """Again and again, so many seconds apart."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Cron:
    """Whenever the programme's local time is in all five fields, each of them a list of numbers;
    weekday: 0 is Sunday. (A classic cron ORs day and weekday where both are given; here both hold.)
    """

    minute: tuple[int, ...]
    hour: tuple[int, ...]
    day: tuple[int, ...]
    month: tuple[int, ...]
    weekday: tuple[int, ...]


Recurrence = Every | Cron | None
"""None is off."""


def parse(text: str) -> Recurrence:
    """Read a setting's words; raises ValueError with what is wrong in them."""
    words = text.strip().lower()
    if words == OFF:
        return None
    if found := _INTERVAL.fullmatch(words):
        seconds = int(found[1]) * _SECONDS[found[2]]
        if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
            raise ValueError(f"has to be {LEAST_SECONDS}s to 168h")
        return Every(seconds)
    if len(words.split()) == 5:
        return parse_cron(words)
    raise ValueError(
        "has to be an interval (5m, 90s, 1h), five fields of cron (15 3 * * *), or off"
    )


def parse_cron(words: str) -> Cron:
    """Read a cron line: numbers, names, `*`, ranges, lists and steps."""
    minute, hour, day, month, weekday = words.split()
    days = _field("weekday", weekday, 0, 7, _DAYS)
    found = Cron(
        _field("minute", minute, 0, 59), _field("hour", hour, 0, 23), _field("day", day, 1, 31),
        _field("month", month, 1, 12, _MONTHS), tuple(sorted({number % 7 for number in days})),
    )  # fmt: skip
    if min(found.day) > max(monthrange(_LEAP_YEAR, number)[1] for number in found.month):
        raise ValueError("has to come at all: none of its months has such a day")
    return found


def _field(
    name: str, text: str, low: int, high: int, names: tuple[str, ...] = ()
) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"has {part!r} for its {name}, which cron does not know")
        if match["first"] == "*":
            first, last = low, high
        else:
            first = _number(name, match["first"], low, high, names)
            last = first
            if match["last"]:
                last = _number(name, match["last"], low, high, names)
            elif match["step"]:
                last = high
        if first > last:
            raise ValueError(f"has {part!r} for its {name}, which ends before it begins")
        found |= set(range(first, last + 1, int(match["step"] or 1)))
    return tuple(sorted(found))


def _number(name: str, word: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if word in names:
        return names.index(word) + low
    if not re.fullmatch(r"[0-9]{1,2}", word) or not low <= int(word) <= high:
        raise ValueError(f"has {word!r} for its {name}: {low} to {high}")
    return int(word)
