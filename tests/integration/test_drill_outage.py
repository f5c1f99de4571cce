"""A server is away under load; everyone catches up soon after it is back, and nothing is lost."""

import pytest

from drill import outage
from drill.outage import USUAL, Away, run_outages
from drill.plan import Plan
from drill.stack import OwnStack

AWAY = Away(seconds=10, most=180)
"""The drill itself allows a minute; here other tests and a build of images have the cores too."""


def test_each_is_away(broken_stack: OwnStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`drill outage`, reduced to ten seconds, a smaller rate and less calm."""
    monkeypatch.setattr(outage, "CALM_SECONDS", 1)
    said: list[str] = []
    plan = Plan(only=None, times=1, rate=150, seed=20261125)
    outcome = run_outages(broken_stack, plan, USUAL, AWAY, said.append)
    document = outcome.to_json()
    assert document["ok"], [*outcome.count.differences, *outcome.complaints]
    found = [(row.component, row.killed) for row in outcome.rows]
    assert found == [(name, 0) for name in USUAL]
    for row in outcome.rows:
        assert 1 < row.seconds <= AWAY.most
        assert row.lines > AWAY.seconds * plan.rate * 0.9
    assert len(said) == 1 + len(USUAL)
