"""Processes die at chosen moments under load: nothing is lost or doubled, the tables are right."""

import pytest

from drill.plan import Plan
from drill.points import COMPONENTS, FLUME, LOAD, REFRESH, STREAM, names, run_points
from drill.stack import OwnStack

SEED = 20261124
PLAN = Plan(only=None, times=1, rate=100, seed=SEED)


@pytest.mark.parametrize("wanted", [(*FLUME, *STREAM), (*LOAD, *REFRESH)])
def test_death_at_each_point(broken_stack: OwnStack, wanted: tuple[str, ...]) -> None:
    """`drill points`, reduced: each point once, and a smaller rate."""
    points = [name for name in names(None, 1, SEED) if name in wanted]
    said: list[str] = []
    outcome = run_points(broken_stack, PLAN, points, said.append)
    document = outcome.to_json()
    assert document["ok"], [*outcome.count.differences, *outcome.complaints]
    assert document["lines"] > 0
    # a row is of a process that left its mark and is gone
    found = [(row.component, row.done) for row in outcome.rows]
    assert found == [(COMPONENTS[name], name) for name in points]
    assert all(row.killed and row.killed != row.answers for row in outcome.rows)
