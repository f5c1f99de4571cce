"""Keeping a rate: no drift, a short stop is made up for, a long one is not."""

from producer.pace import Pace

SECOND = 1_000_000_000


def taken(pace: Pace, now_ns: int) -> int:
    """Take all that is due."""
    count = 0
    while pace.take(now_ns):
        count += 1
    return count


def test_the_first_order_comes_at_once_the_others_at_their_time() -> None:
    pace = Pace(SECOND, 0)
    assert [taken(pace, tenths * SECOND // 10) for tenths in (0, 5, 9, 10, 15, 20)] == [
        1, 0, 0, 1, 0, 1,
    ]  # fmt: skip
    assert pace.wait_ns(25 * SECOND // 10) == SECOND // 2


def test_late_wake_ups_do_not_add_up() -> None:
    pace = Pace(SECOND // 100, 0)
    late = 7_000_000
    assert sum(taken(pace, tick * SECOND // 50 + late) for tick in range(501)) == 1001


def test_a_short_stop_is_made_up_for() -> None:
    pace = Pace(SECOND // 10, 0)
    taken(pace, 0)
    assert taken(pace, SECOND) == 10


def test_a_long_stop_makes_no_burst() -> None:
    pace = Pace(SECOND // 10, 0)
    taken(pace, 0)
    assert taken(pace, 3600 * SECOND) == 1
    assert pace.wait_ns(3600 * SECOND) == SECOND // 10


def test_another_rate_goes_on_from_the_last_order() -> None:
    assert Pace(30 * SECOND, 10 * SECOND, last_ns=5 * SECOND).wait_ns(10 * SECOND) == 25 * SECOND
    assert Pace(SECOND, 10 * SECOND, last_ns=5 * SECOND).wait_ns(10 * SECOND) == 0
