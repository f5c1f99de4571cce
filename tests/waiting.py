"""Waiting until something is so, never by a fixed sleep."""

import time
from collections.abc import Callable


def wait_until(what: str, question: Callable[[], bool], seconds: float = 30) -> float:
    """Ask until the answer is yes; gives the seconds that it took."""
    begun = time.monotonic()
    while not question():
        assert time.monotonic() - begun < seconds, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - begun
