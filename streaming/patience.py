"""Tries again while a server is away for a short time."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from pipeline.errors import Unavailable

T = TypeVar("T")


def patiently(
    action: Callable[[], T], before_again: Callable[[], object], seconds: float, stopping: Event
) -> T:
    """Give what the action gives, tried for some seconds; then its Unavailable is raised.

    before_again comes before each attempt but the first, and may find the server away as well.
    Once `stopping` is set nothing is tried again.
    """
    end = time.monotonic() + seconds
    pause = 0.5
    is_first = True
    while True:
        try:
            if not is_first:
                before_again()
            return action()
        except Unavailable:
            is_first = False
            if time.monotonic() > end or stopping.wait(pause):
                raise
            pause = min(2 * pause, 5)
