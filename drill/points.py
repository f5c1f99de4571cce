"""`drill points`: processes that die at the moments at which a pipeline could lose or double.

Each point in turn: the supervised process is stopped, one with the point in it runs in its place
until it dies there, and the supervised one, or the same command again, has to put things right.
"""

import subprocess
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from drill.answers import await_answer
from drill.count import count
from drill.doomed import NotReached, doom_command, doom_component, end_family
from drill.load import FAULTS, Till, under_load
from drill.members import Members
from drill.plan import Plan, Told
from drill.stack import OwnStack
from drill.verdict import Count, Outcome, Row, sentence
from pipeline.errors import LoyaltyError
from pipeline.programme import read_programme

TIMES: Final = 5
FLUME: Final = ("acknowledged", "half-positions", "put", "flushed")
STREAM: Final = (
    "staged", "between-moves", "moved",
    "merge-staged", "merge-entered", "switch-pending", "switch-unread",
)  # fmt: skip
LOAD: Final = ("load-staged", "load-entered", "load-unread")
REFRESH: Final = ("refresh-staged", "refresh-entered", "refresh-unread")
COMPONENTS: Final[dict[str, str]] = (
    dict.fromkeys(FLUME, "flume")
    | dict.fromkeys(STREAM, "streaming")
    | dict.fromkeys(LOAD, "customers load")
    | dict.fromkeys(REFRESH, "refresh")
)
"""What dies at each point."""
NAMES: Final = ("flume", "streaming", "customers", "refresh", *COMPONENTS)
"""What `--only` may name: a point, or all of a component's."""
HISTORY_DAYS: Final = 9
"""The snapshot is of the day after: later than this no till writes anything (late-days: 6)."""
COMMAND_SECONDS: Final = 300


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Let everything die at each of its moments in turn, under load, and count."""
    return run_points(stack, plan, names(plan.only, plan.times or TIMES, plan.seed), told)


def run_points(stack: OwnStack, plan: Plan, points: list[str], told: Told) -> Outcome:
    """Let something die at each of these points, and count."""
    members = None
    if set(points) & {*LOAD, *REFRESH}:
        told("customers, and a past for the snapshots …")
        members = prepare(stack, plan.seed)
    with under_load(stack, plan) as (till, complaints):
        struck = [_strike(stack, till, members, name, told) for name in plan.each(points)]
    told("the till stands; every line is counted …")
    counted = sum((one.count for one in struck), count(stack, till.key, till.ends))
    return Outcome(
        [one.row for one in struck if one.row], counted,
        complaints + [one.complaint for one in struck if one.complaint], till.lines_per_second(),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Struck:
    """What a point has brought: a row, or why there is none; and what the tables wrongly showed."""

    row: Row | None = None
    complaint: str = ""
    count: Count = field(default_factory=Count)


def names(only: str | None, times: int, seed: int) -> list[str]:
    """Give the points in a seeded order, each N times; with `only` that one, or a component's."""
    chance = Random(seed)
    wanted = [
        name for name, component in COMPONENTS.items() if only in {None, name, component.split()[0]}
    ]
    return [name for _ in range(times) for name in chance.sample(wanted, len(wanted))]


def prepare(stack: OwnStack, seed: int) -> Members:
    """Give the stack a past that no till adds to, customers, and a snapshot of that past."""
    zone = ZoneInfo(read_programme(stack.settings.programme).time_zone)
    begun = datetime.now(tz=zone).replace(hour=12, minute=0) - timedelta(days=HISTORY_DAYS)
    key = stack.settings.data / f"history-{begun:%Y%m%d%H%M%S%f}.tsv"
    members = Members(stack, key, begun.date() + timedelta(days=1), zone)
    members.remember()
    stack.ok(*members.write())
    members.shown = members.written
    stack.ok(
        "produce", "--count", "500", "--start", begun.isoformat(), "--rate", "1/s",
        "--seed", str(seed), "--faults", FAULTS, "--answer-key", str(key),
    )  # fmt: skip
    stack.ok("verify", "--wait", "--timeout", "200")
    stack.ok(*members.refresh)
    members.snapshot = members.shown
    return members


def _strike(stack: OwnStack, till: Till, members: Members | None, name: str, told: Told) -> _Struck:
    try:
        if members is not None and name in {*LOAD, *REFRESH}:
            row, faults = _strike_command(stack, till, members, name)
        else:
            row, faults = _strike_component(stack, till, name), []
    except LoyaltyError as error:
        told(str(error))
        return _Struck(complaint=str(error))
    told(sentence(row))
    return _Struck(row, count=Count(wrong=len(faults), differences=faults))


def _strike_component(stack: OwnStack, till: Till, name: str) -> Row:
    component = COMPONENTS[name]
    stack.supervisor.stop(component)
    missed, pid = None, 0
    try:
        with doom_component(stack, component, name) as doomed:
            pid = doomed.await_death()
    except NotReached as error:
        missed = error
    finally:
        begun, written = time.monotonic(), till.written()
        stack.supervisor.start(component)
    answers = await_answer(stack, till, component, 0)
    if missed:
        raise missed
    return Row(component, name, pid, answers, time.monotonic() - begun, till.written() - written)


def _strike_command(
    stack: OwnStack, till: Till, members: Members, name: str
) -> tuple[Row, list[str]]:
    """Kill a command, look, and run it again; gives also what the tables should not show."""
    if name in LOAD:
        arguments = members.write()
        pid = _doom(stack, name, arguments)
        faults = members.faults_of_table(members.shown, members.written)
    else:
        arguments = members.refresh
        pid = _doom(stack, name, arguments)
        faults = members.faults_of_snapshot(members.snapshot, members.shown)
    begun, written = time.monotonic(), till.written()
    answers = _run_again(stack, name, arguments)
    seconds, lines = time.monotonic() - begun, till.written() - written
    if name in LOAD:
        members.shown = members.written
        faults += members.faults_of_table(members.shown)
    else:
        members.snapshot = members.shown
        faults += members.faults_of_snapshot(members.snapshot)
    row = Row(COMPONENTS[name], name, pid, answers, seconds, lines)
    return row, [f"{name}: {fault}" for fault in faults]


def _doom(stack: OwnStack, name: str, arguments: list[str]) -> int:
    with doom_command(stack, name, arguments) as doomed:
        return doomed.await_death()


def _run_again(stack: OwnStack, name: str, arguments: list[str]) -> int:
    log = stack.places.logs / f"again-{name}.log"
    process = stack.start(*arguments, log=log)
    try:
        code = process.wait(timeout=COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        raise NotReached(
            f"{name}: the command run again had not ended after {COMMAND_SECONDS} s; see {log}"
        ) from None
    finally:
        end_family(process)
    if code:
        raise NotReached(f"{name}: the command run again ended with {code}; see {log}")
    return process.pid
