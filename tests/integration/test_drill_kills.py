"""Every process is killed under load, and nothing is lost, doubled or wrong; and the count can
tell: a lost file, and a process that is not there to be killed, are found."""

import signal
from random import Random

import pytest

from drill import kills
from drill.answers import SERVERS
from drill.count import count
from drill.kills import NAMES, Blow, deal, run_blows
from drill.load import under_load
from drill.plan import Plan
from drill.readers import EVERYONE, Chase
from drill.stack import OwnStack
from pipeline.errors import LoyaltyError
from pipeline.places import TRANSACTIONS
from pipeline.webhdfs import Hdfs
from tests.waiting import wait_until

SEED = 20261124
PLAN = Plan(only=None, times=1, rate=150, seed=SEED)


def caught_up(chase: Chase) -> bool:
    """Tell whether every reader has got what was in the log files."""
    try:
        chase.check(*EVERYONE)
    except LoyaltyError:
        return False
    return True


def newest_file(hdfs: Hdfs) -> str:
    """Give a file of transactions_cln that is in its partition's highest generation."""
    newest: dict[str, tuple[int, str]] = {}
    for path, _ in hdfs.walk(TRANSACTIONS):
        partition, _, rest = path.partition("/g=")
        if path.endswith(".parquet"):
            found = (int(rest.partition("/")[0]), path)
            newest[partition] = max(newest.get(partition, found), found)
    return newest[max(newest)][1]


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


def test_the_count_finds_a_lost_file(broken_stack: OwnStack) -> None:
    """One file of transactions_cln is away while the count is made, and back for the next."""
    with under_load(broken_stack, PLAN) as (till, _):
        wait_until("some lines are written", lambda: till.lines_per_second() > 0)
        chase = Chase(broken_stack)
    wait_until("everyone has caught up", lambda: caught_up(chase), seconds=120)
    hdfs = Hdfs(broken_stack.settings.webhdfs, user="root")
    broken_stack.supervisor.stop("streaming")  # it must not merge what is left
    path = newest_file(hdfs)
    away = f"/probes/{path.rpartition('/')[2]}"
    try:
        hdfs.rename(path, away)
        try:
            without = count(broken_stack, till.key, till.ends)
        finally:
            hdfs.rename(away, path)
    finally:
        broken_stack.supervisor.start("streaming")
    assert without.lost > 0
    assert without.differences
    whole = count(broken_stack, till.key, till.ends)
    assert (whole.lost, whole.duplicated, whole.wrong, whole.differences) == (0, 0, 0, [])
