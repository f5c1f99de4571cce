"""Keeping a rate: no drift, and no burst to make up for a pause."""

from operator import add
from typing import Final

from producer.shape import After

_CATCH_UP_NS: Final = 2_000_000_000
"""A machine that was busy for less than this is made up for; what is longer was a pause."""


class Pace:
    """Says when the next order is due. Times are of a monotonic clock, in nanoseconds.

    After `last_ns`, an order at the rate before, the next comes an interval later; without one, at
    once. after: the clock that the interval is measured on (producer/shape.py).
    """

    def __init__(
        self, interval_ns: int, now_ns: int, last_ns: int | None = None, after: After = add
    ) -> None:
        self.interval_ns = interval_ns
        self._after = after
        self._next = now_ns if last_ns is None else max(now_ns, after(last_ns, interval_ns))
        self.last_ns = last_ns

    def wait_ns(self, now_ns: int) -> int:
        """Give the time until the next order is due, 0 when it is."""
        return max(0, self._next - now_ns)

    def take(self, now_ns: int, most: int = 1) -> int:
        """Take the orders that are due, at most so many; gives their number."""
        taken = 0
        while taken < most and self._next <= now_ns:
            taken += 1
            self.last_ns = self._next
            if now_ns - self._next > _CATCH_UP_NS:
                self.last_ns = now_ns
            self._next = self._after(self.last_ns, self.interval_ns)
        return taken
