"""How fast invented orders come: the words, and the file that brings them to the producer.

The file is replaced as a whole, so a reader sees the old or the new one; it outlives a restart.
"""

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

from pipeline.document import replace_document
from pipeline.errors import Refused, UsageError
from pipeline.places import Places
from producer.traffic import Traffic, choose_traffic

MOST_PER_SECOND: Final = 100_000
DEFAULT: Final = "30s"
PAUSE: Final = "pause"
RESUME: Final = "resume"
ACTS_MS: Final = 2_000
"""The running producer has taken a new rate over within so long: orders until then are of the old
one."""
_ALSO: Final = ", pause or resume"
_SECOND_NS: Final = 1_000_000_000
_NUMBER: Final = r"((?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?)"
_EVERY: Final = re.compile(_NUMBER + "s")
_PER: Final = re.compile(_NUMBER + "/(s|min)")


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of orders (receipts), with the word that asked for it.

    interval_ns is the time from one order to the next in nanoseconds, 0 for `max`.
    """

    word: str
    interval_ns: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the producer was asked for: its rate, also while paused, and since when (epoch ms)."""

    rate: Rate
    paused: bool
    since_ms: int
    traffic: Traffic = field(default_factory=Traffic)

    def __str__(self) -> str:
        """Give what `status` shows: `pause`, or the rate as it was asked for."""
        return PAUSE if self.paused else self.rate.word

    def in_full(self) -> str:
        """Give all of it, as `rate` says it: `7/s, rush-hour, paused`."""
        words = (self.rate.word, str(self.traffic), "paused" if self.paused else "")
        return ", ".join(filter(None, words))


def parse_rate(word: str, *, also: str = "") -> Rate:
    """Read one of the rates; raises UsageError that lists the forms (`also` ends that list)."""
    if word == "max":
        return Rate(word, 0)
    interval = Fraction(0)
    if every := _EVERY.fullmatch(word):
        interval = Fraction(every[1])
    elif (per := _PER.fullmatch(word)) and (number := Fraction(per[1])):
        interval = (60 if per[2] == "min" else 1) / number
    if interval < Fraction(1, MOST_PER_SECOND):
        raise UsageError(
            f"{word!r} is no rate; give 30s (one order every 30 seconds), 0.2/s, 500/s (at most"
            f" {MOST_PER_SECOND:,}/s), 12/min{',' if also else ' or'} max{also}."
        )
    return Rate(word, round(interval * _SECOND_NS))


def check_word(word: str) -> None:
    """Raise UsageError unless `ask_rate` would take the word."""
    if word not in (PAUSE, RESUME):
        parse_rate(word, also=_ALSO)


def asked(places: Places) -> Asked | None:
    """Read what was asked for last; None where nothing ever was.

    Raises Refused where somebody else has written into the file.
    """
    path = rate_file(places)
    try:
        values = dict(json.loads(path.read_bytes()))
        traffic = choose_traffic(**values.get("traffic", {}))
        rate, paused = parse_rate(values["rate"]), bool(values["paused"])
        return Asked(rate, paused, int(values["since_ms"]), traffic)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, UsageError) as error:
        raise Refused(
            f"{path} is damaged; remove it and ask again with `./loyalty rate {DEFAULT}`."
        ) from error


def asked_or_default(places: Places) -> Asked:
    """Read what was asked for last; where nothing ever was, that is the default rate."""
    return asked(places) or Asked(parse_rate(DEFAULT), paused=False, since_ms=0)


def ask_rate(
    places: Places,
    word: str | None = None,
    *,
    shape: str | None = None,
    refunds: float | None = None,
    redemptions: float | None = None,
) -> Asked:
    """Ask for a rate, `pause` or `resume`, or another traffic; the producer acts within a second.

    What is not asked for stays; the shares of refunds and redemptions come with a new shape. A rate
    asked for during a pause is kept for its end: only `resume` ends a pause, since invented orders
    must not go to a chain's real members unasked. Where no rate was asked for before, it is the
    default one. Raises UsageError.
    """
    rate = None if word is None or word in (PAUSE, RESUME) else parse_rate(word, also=_ALSO)
    path = rate_file(places)
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    with _only_me(path.parent):
        before = asked_or_default(places)
        paused = word == PAUSE or (before.paused and word != RESUME)
        traffic = choose_traffic(shape, refunds, redemptions, before.traffic)
        after = Asked(rate or before.rate, paused, time.time_ns() // 1_000_000, traffic)
        document = {"rate": after.rate.word, "paused": paused, "since_ms": after.since_ms,
                    "traffic": traffic.document()}  # fmt: skip
        replace_document(path, document)
    return after


def rate_file(places: Places) -> Path:
    """Where the asked rate is kept."""
    return places.producer / "rate"


@contextmanager
def _only_me(folder: Path) -> Iterator[None]:
    """Keep two askers apart, so that a rate never undoes a pause asked for at the same time."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
