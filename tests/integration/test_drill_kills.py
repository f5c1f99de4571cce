"""Every process is killed under load, and nothing is lost, doubled or wrong; one that is not there
to be killed is found. (That the count can tell is shown in test_drill_controls.py.)"""

import signal
from random import Random

import pytest

from drill import kills
from drill.answers import SERVERS
from drill.kills import NAMES, Blow, deal, run_blows
from drill.load import under_load
from drill.plan import Plan
from drill.stack import OwnStack

SEED = 20261124
PLAN = Plan(only=None, times=1, rate=150, seed=SEED)


def test_everyone_is_killed_and_nothing_is_lost(
    broken_stack: OwnStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`drill kills`, reduced: two at a time, a smaller rate, less calm; one server stopped."""
    monkeypatch.setattr(kills, "CALM_SECONDS", 1)
    chance = Random(SEED)
    order = chance.sample(NAMES, len(NAMES))
    dealt = [Blow(tuple(order[at : at + 2])) for at in range(0, len(order), 2)]
    dealt.append(Blow((chance.choice(SERVERS),), signal.SIGSTOP, 60))
    said: list[str] = []
    outcome = run_blows(broken_stack, PLAN, dealt, said.append)
    document = outcome.to_json()
    assert document["ok"], [*outcome.count.differences, *outcome.complaints]
    assert document["kills"] == len(NAMES) + 1
    assert {row.component for row in outcome.rows} == set(NAMES)
    assert all(row.killed and row.killed != row.answers for row in outcome.rows)
    assert len(said) == len(outcome.rows) + 1
    assert outcome.rate == pytest.approx(PLAN.rate, rel=0.1)
    assert outcome.count.lines > PLAN.rate * 60


def test_what_is_not_there_is_not_killed(
    broken_stack: OwnStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A component that does not come is a complaint, and the drill goes on with the next."""
    monkeypatch.setattr(kills, "_PID_SECONDS", 1)
    monkeypatch.setattr(kills, "CALM_SECONDS", 0)
    broken_stack.supervisor.stop("thrift")
    try:
        with under_load(broken_stack, PLAN) as (till, _):
            rows, complaints = deal(
                broken_stack, till, [Blow(("thrift",)), Blow(("metastore",))], lambda _: None
            )
    finally:
        broken_stack.supervisor.start("thrift")
    assert complaints == ["thrift was not hit: it has had no process for 1 s"]
    assert [row.component for row in rows] == ["metastore"]
