"""How orders are spread over the business day: evenly, or as people buy coffee.

Mean time is a clock on which the orders of a rush-hour day come evenly. It runs fast where many
come and slowly at night, and shows the real time at each midnight of the programme's zone: so a
day, of 23 hours too, has the orders that the asked rate gives it. Instants are in epoch
nanoseconds (UTC).
"""

import time
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from operator import add
from typing import Final
from zoneinfo import ZoneInfo

CONSTANT: Final = "constant"
RUSH_HOUR: Final = "rush-hour"

HOURS: Final = (1, 1, 1, 1, 1, 4, 20, 60, 90, 55, 35, 50, 80, 55, 30, 30, 32, 30, 20, 14, 8, 5, 3,
                2)  # fmt: skip
"""Orders at the middle of each local hour, as they compare with each other."""

After = Callable[[int, int], int]
"""Gives the instant at which so much mean time has passed since an instant."""

_SECOND_NS: Final = 1_000_000_000
_STEP_NS: Final = 900 * _SECOND_NS


def after(shape: str, zone: ZoneInfo) -> After:
    """Give the clock of a shape; that of `constant` is the real one."""
    return RushHour(zone).after if shape == RUSH_HOUR else add


def on_monotonic(clock: After) -> After:
    """Give the same for the instants of `time.monotonic_ns`."""
    if clock is add:
        return add

    def shifted(since: int, passed: int) -> int:
        offset = time.time_ns() - time.monotonic_ns()
        return clock(since + offset, passed) - offset

    return shifted


def density(shape: str, zone: ZoneInfo, now_ms: int) -> float:
    """Tell how many times the day's mean comes at an instant (epoch ms)."""
    return RushHour(zone).density(now_ms * 1_000_000) if shape == RUSH_HOUR else 1.0


@dataclass(frozen=True, slots=True)
class _Day:
    """A business date in steps of a quarter of an hour; passed: mean time up to each, and all."""

    first: int
    end: int
    step: int
    passed: tuple[int, ...]


class RushHour:
    """The mean time of one zone; a peak in the morning, one at noon, little at night."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._day = self._made(0)

    def after(self, since: int, passed: int) -> int:
        """Give the instant at which so much mean time has passed since an instant."""
        return self.real(self.mean(since) + passed)

    def mean(self, real: int) -> int:
        """Give the mean time of an instant."""
        day = self._at(real)
        step, rest = divmod(real - day.first, day.step)
        width = day.passed[step + 1] - day.passed[step]
        return day.first + day.passed[step] + rest * width // day.step

    def real(self, mean: int) -> int:
        """Give the instant of a mean time, which is on the same business date."""
        day = self._at(mean)
        step = bisect_right(day.passed, mean - day.first) - 1
        width = day.passed[step + 1] - day.passed[step]
        rest = mean - day.first - day.passed[step]
        return day.first + step * day.step + -(-rest * day.step // width)

    def density(self, real: int) -> float:
        """Tell how fast mean time runs: how many times the day's mean comes at an instant."""
        day = self._at(real)
        step = (real - day.first) // day.step
        return (day.passed[step + 1] - day.passed[step]) / day.step

    def _at(self, instant: int) -> _Day:
        if not self._day.first <= instant < self._day.end:
            self._day = self._made(instant)
        return self._day

    def _made(self, instant: int) -> _Day:
        midnight = self._local(instant).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        first, end = (
            int(moment.timestamp()) * _SECOND_NS
            for moment in (midnight, midnight + timedelta(days=1))
        )
        count = -(-(end - first) // _STEP_NS)
        step = -(-(end - first) // count)
        weights = [_weight(self._local(first + n * step + step // 2)) for n in range(count)]
        total = sum(weights)
        passed = (round((end - first) * upto / total) for upto in accumulate(weights, initial=0))
        return _Day(first, end, step, tuple(passed))

    def _local(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant // _SECOND_NS, tz=UTC).astimezone(self._zone)


def _weight(local: datetime) -> float:
    """Give the weight of a local time, on a line from the middle of an hour to the next one's."""
    hour, part = divmod(local.hour + local.minute / 60 + 23.5, 1)
    here, there = HOURS[int(hour) % 24], HOURS[(int(hour) + 1) % 24]
    return here + (there - here) * part
