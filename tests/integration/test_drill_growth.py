"""`drill growth`, reduced to its first history: a refresh is measured, and lines are counted."""

from drill.growth import Course, run_growth
from drill.plan import Plan
from drill.stack import OwnStack


def test_a_refresh_is_measured_and_the_lines_are_counted(broken_stack: OwnStack) -> None:
    plan = Plan(only=None, times=1, rate=0, seed=20261129)
    said: list[str] = []
    course = Course(orders=200, factors=(1,), rounds=1)
    outcome = run_growth(broken_stack, plan, course, said.append)
    assert outcome.count.lines > 200
    assert outcome.count.differences == []
    done = [row.done for row in outcome.rows]
    assert done == ["1,000 new lines after 200 orders of history"]
    assert all(row.seconds > 0 for row in outcome.rows)
