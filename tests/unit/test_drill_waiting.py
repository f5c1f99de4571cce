"""Asking again, commands that take too long, and who has to show what, without a stack."""

from collections.abc import Callable
from pathlib import Path

import pytest

from drill.count import NO_COUNT, judged
from drill.readers import newest_files
from drill.stack import describe
from drill.verdict import Count
from drill.waiting import insist, settle
from pipeline.errors import LoyaltyError


def _after(times: int, answer: Count, before: Count | None = None) -> Callable[[], Count]:
    """Give a question that has another answer, or none, so many times."""
    asked = 0

    def ask() -> Count:
        nonlocal asked
        asked += 1
        if asked > times:
            return answer
        if before is None:
            raise LoyaltyError("HiveServer2 is away")
        return before

    return ask


def test_what_does_not_answer_is_asked_again() -> None:
    assert insist(_after(2, Count(7)), 10, every=0.01) == Count(7)
    with pytest.raises(LoyaltyError, match=r"^After all: HiveServer2 is away$"):
        insist(_after(9, Count(7)), 0, "After all: {error}")


def test_a_switch_that_is_pending_is_waited_for() -> None:
    late = Count(10, lost=3, differences=["Hive has 7 rows"])
    assert settle(_after(1, Count(10), before=late), 10) == Count(10)
    assert settle(_after(1, Count(10)), 10) == Count(10)
    assert settle(_after(9, Count(10), before=late), 0) == late


@pytest.mark.parametrize("kind", ["duplicated", "wrong"])
def test_what_no_pending_switch_explains_is_not_waited_for(kind: str) -> None:
    found = Count(10, differences=["Hive has 13 rows"], **{kind: 3})
    assert settle(_after(1, Count(10), before=found), 10) == found


def test_no_count_is_a_difference_that_says_so() -> None:
    (difference,) = judged(_after(1, Count())).differences
    assert difference == f"{NO_COUNT}: HiveServer2 is away"


def test_a_command_that_takes_too_long_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LoyaltyError, match=r"^`./loyalty status --json` had not ended after 0 s"):
        describe(tmp_path).run("status", "--json", timeout=0.01)


def test_hive_has_to_show_the_files_of_the_highest_generations() -> None:
    """Rows of a generation to which it was not switched are not there yet."""
    day = "/t/odr_dt=2019-04-01/odr_hr=8"
    new = [f"{day}/g=10/a.parquet", f"{day}/g=10/b.parquet", "/t/odr_dt=2019-04-02/g=1/c.parquet"]
    old = [f"{day}/g=9/a.parquet", f"{day}/g=9/_switched"]
    assert newest_files([*new, *old]) == set(new)
