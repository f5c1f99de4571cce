"""`drill growth`, reduced: the history grows, refreshes are measured, and lines counted."""

from drill.growth import Course, run_growth
from drill.plan import Plan
from drill.stack import OwnStack


def test_refreshes_are_measured_while_the_history_grows(broken_stack: OwnStack) -> None:
    plan = Plan(only=None, times=1, rate=0, seed=20261129)
    said: list[str] = []
    course = Course(orders=200, factors=(1, 2), rounds=1)
    outcome = run_growth(broken_stack, plan, course, said.append)
    assert outcome.count.lines > 400
    assert outcome.count.differences == []
    assert [row.done for row in outcome.rows] == [
        "1,000 new lines after 200 orders of history",
        "1,000 new lines after 400 orders of history",
    ]
    assert all(row.seconds > 0 for row in outcome.rows)
