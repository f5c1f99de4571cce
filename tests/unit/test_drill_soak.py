"""What a soak concludes, without a stack."""

import pytest

from drill.cost import Cost
from drill.soak import _row_of_lag, _rows_of_cost, growing, over_budget, slow_to_compare
from drill.verdict import Row

RATE = 100.0


@pytest.mark.parametrize(
    ("lag", "falls_behind"),
    [
        ([0], False),
        ([9_000, 40, 0, 60, 0, 20], False),
        ([100, 600, 100, 600, 100, 600], False),
        ([0, 0, 200, 300, 500, 500], False),
        ([0, 0, 200, 300, 500, 502], True),
        ([100 * n for n in range(30)], True),
    ],
)
def test_a_lag_that_grows_by_more_than_five_seconds_of_lines(
    lag: list[int], falls_behind: bool
) -> None:
    said = growing("streaming", lag, RATE)
    assert bool(said) is falls_behind
    assert not said or said.startswith("streaming falls behind: in the last third")


@pytest.mark.parametrize(
    ("seconds", "lines", "is_slow"),
    [(59, 500, False), (61, 500, True), (119, 2_000_000, False), (121, 2_000_000, True)],
)
def test_a_comparison_may_take_a_minute_for_a_million(
    seconds: float, lines: int, is_slow: bool
) -> None:
    said = slow_to_compare(Row("verify", "all hops compared", 0, 0, seconds, lines))
    assert bool(said) is is_slow
    assert not said or said[0].startswith(f"verify took {seconds} s for {lines:,} lines")


def test_the_rows_say_the_lag_in_lines_and_in_seconds() -> None:
    row = _row_of_lag("streaming", [10, 20, 30, 500, 60, 70], RATE, 6_000)
    assert row.done == "lacked 15 lines in the first third, 65 in the last, 500 at most"
    assert (row.seconds, row.lines) == (5.0, 6_000)


def test_what_is_used_at_rest_is_taken_off() -> None:
    rows = _rows_of_cost(
        {"kafka": Cost(0.01, 170), "flume": Cost(0.02, 180)},
        [{"kafka": Cost(0.02, 175), "flume": Cost(0.06, 190)},
         {"kafka": Cost(0.04, 180), "flume": Cost(0.06, 200)}], 500.0,
    )  # fmt: skip
    assert [row.component for row in rows] == ["kafka", "flume", "all"]
    assert rows[-1].done == (
        "0.030 core idle, 0.080 and 0.100 in the halves: 0.120 for 1,000 lines/s;"
        " 350 MiB idle, 380 at the end"
    )


@pytest.mark.parametrize(
    ("half", "says"),
    [
        (Cost(1.19, 3072), []),
        (Cost(1.21, 3072), ["1,000 lines/s cost 0.555 core, and 0.55 is the most"]),
        (Cost(0.5, 3073), ["under load it has 3,073 MiB, and 3,072 is the most"]),
    ],
)
def test_what_is_above_the_budget_is_a_complaint(half: Cost, says: list[str]) -> None:
    assert over_budget(Cost(0.1, 2500), half, half, 2000.0) == says
