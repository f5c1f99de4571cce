"""The rush-hour day: its peaks, its mean, on days of 23 and 25 hours too."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.pace import Pace
from producer.produce import instants
from producer.shape import CONSTANT, RUSH_HOUR, RushHour, after, density

NEW_YORK = ZoneInfo("America/New_York")
ZONES = [NEW_YORK, ZoneInfo("UTC"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Australia/Lord_Howe")]
SECOND = 1_000_000_000
DAYS = ["2026-07-01", "2026-03-08", "2026-11-01"]
"""An ordinary day, and New York's of 23 and of 25 hours."""


def midnight(day: str, zone: ZoneInfo = NEW_YORK, days: int = 0) -> int:
    local = datetime.fromisoformat(day).replace(tzinfo=zone) + timedelta(days=days)
    return int(local.timestamp()) * SECOND


def hours(day: str) -> Counter[int]:
    """Count the orders of a day by local hour, at a mean of one a second."""
    start, end = midnight(day), midnight(day, days=1)
    clock = RushHour(NEW_YORK)
    counts: Counter[int] = Counter()
    instant = start
    while instant < end:
        counts[datetime.fromtimestamp(instant // SECOND, tz=UTC).astimezone(NEW_YORK).hour] += 1
        instant = clock.after(instant, 10 * SECOND)
    return counts


@pytest.mark.parametrize("day", DAYS)
def test_a_day_has_as_many_orders_as_the_rate_says(day: str) -> None:
    seconds = (midnight(day, days=1) - midnight(day)) / SECOND
    assert sum(hours(day).values()) == pytest.approx(seconds / 10, rel=0.001)


@pytest.mark.parametrize("day", DAYS)
def test_a_morning_and_a_noon_peak_and_little_at_night(day: str) -> None:
    counts = hours(day)
    mean = sum(counts.values()) / 24
    assert counts[8] == max(counts.values()) > 3 * mean
    assert counts[12] > 2.5 * mean
    assert counts[8] > counts[10] < counts[12] > counts[14], "two peaks and not one"
    assert sum(counts[hour] for hour in range(5)) < 0.3 * mean


@given(
    st.integers(min_value=1_000_000_000 * SECOND, max_value=9_000_000_000 * SECOND),
    st.sampled_from(ZONES),
)
def test_mean_time_goes_forward_and_back_and_stays_on_its_day(instant: int, zone: ZoneInfo) -> None:
    clock = RushHour(zone)
    mean = clock.mean(instant)
    back = clock.real(mean)
    assert abs(back - instant) <= 100
    assert clock.mean(instant + SECOND) > mean
    days = [datetime.fromtimestamp(one // SECOND, tz=zone).date() for one in (instant, mean)]
    assert days[0] == days[1]


def test_midnight_is_midnight_on_both_clocks() -> None:
    for day in DAYS:
        first = midnight(day)
        assert RushHour(NEW_YORK).mean(first) == RushHour(NEW_YORK).real(first) == first


def test_a_pace_follows_the_clock() -> None:
    clock = RushHour(NEW_YORK)
    peak, night = midnight("2026-07-01") + 8 * 3600 * SECOND, midnight("2026-07-01")
    for now, rate in ((peak, clock.density(peak)), (night, clock.density(night))):
        pace = Pace(SECOND, now, after=clock.after)
        assert pace.take(now) == 1
        assert pace.wait_ns(now) == pytest.approx(SECOND / rate, rel=0.01)


def test_constant_is_the_real_clock() -> None:
    assert after(CONSTANT, NEW_YORK)(5, 7) == 12
    assert density(CONSTANT, NEW_YORK, 0) == 1


def test_orders_from_a_start_on_have_the_shape() -> None:
    start = midnight("2026-07-01") // 1_000_000
    found = list(instants(start, 864 * SECOND, 101, after(RUSH_HOUR, NEW_YORK)))
    assert (found[0], found[-1]) == (start, start + 86_400_000)
    assert sum(start + 7 * 3_600_000 <= at < start + 10 * 3_600_000 for at in found) > 25
