"""Waiting until something is so, never by a fixed sleep."""

import time
from collections.abc import Callable


def wait_until(what: str, question: Callable[[], bool], seconds: float = 90) -> float:
    """Ask until the answer is yes; gives the seconds that it took. A busy machine may take long.

    What takes long to answer is asked more seldom: who waits leaves the machine to what it waits
    for, three quarters of the time.
    """
    begun = asked = time.monotonic()
    while not question():
        now = time.monotonic()
        assert now - begun < seconds, f"{what}: not within {seconds:.0f} s"
        time.sleep(max(0.05, min(3 * (now - asked), 3)))
        asked = time.monotonic()
    return time.monotonic() - begun
