"""Asking again: until there is an answer, until two counts agree."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from cluster.startup import NOT_READY
from drill.verdict import Count
from pipeline.errors import LoyaltyError

T = TypeVar("T")

EVERY_SECONDS: Final = 0.5
MOST_PAUSE_SECONDS: Final = 3
"""Between two questions, however long the first one took."""
SETTLE_SECONDS: Final = 60
"""How long Hive may show less than there is: a switch of a partition may be pending."""


def insist(
    ask: Callable[[], T], seconds: float, says: str = "{error}", every: float = EVERY_SECONDS
) -> T:
    """Ask until there is an answer, and give it.

    every: the least pause, in seconds; what takes long to answer is asked more seldom. Raises
    LoyaltyError after so many seconds, with a sentence in which {error} is what there was instead.
    What is not NOT_READY is a bug, and goes through at once.
    """
    end = time.monotonic() + seconds
    while True:
        asked = time.monotonic()
        try:
            return ask()
        except NOT_READY as error:
            now = time.monotonic()
            if now > end:
                raise LoyaltyError(says.replace("{error}", str(error))) from error
            time.sleep(max(every, min(2 * (now - asked), MOST_PAUSE_SECONDS)))


def settle(judge: Callable[[], Count], seconds: float = SETTLE_SECONDS) -> Count:
    """Count until there is no difference, or the time is over; gives the last count. What is there
    twice, or is wrong, no pending switch explains: that is final at once.

    Raises LoyaltyError where there was none at the end.
    """
    end = time.monotonic() + seconds
    while True:
        found = insist(judge, end - time.monotonic())
        is_final = not found.differences or found.duplicated or found.wrong
        if is_final or time.monotonic() > end:
            return found
        time.sleep(EVERY_SECONDS)
