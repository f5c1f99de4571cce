"""`drill kills`: kill -9 of every process, of two at once, and two of them stopped for a minute."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

import psutil

from drill.answers import SERVERS, STAGES, TILL, await_answer, pid_of
from drill.count import count
from drill.load import Till, under_load
from drill.plan import Plan, Told
from drill.stack import OwnStack
from drill.verdict import Outcome, Row, sentence
from drill.waiting import insist
from pipeline.errors import LoyaltyError

COMPONENTS: Final = (*SERVERS, "flume", "streaming", TILL)
NAMES: Final = (*SERVERS, *STAGES, TILL)
"""Every process that a kill has to hit, in the order of the start."""
CALM_SECONDS: Final = 5
"""Between an answer and the next kill: what was broken may still be catching up."""
STOPPED_SECONDS: Final = 60
_PID_SECONDS: Final = 60
"""How long a process may be away when it is its turn: the one before may have taken it along."""
_GONE_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Blow:
    """What is done at one moment: a signal to one process, or to several at once."""

    names: tuple[str, ...]
    number: signal.Signals = signal.SIGKILL
    seconds: float = 0
    """How long a stopped one stays stopped, if the watcher does not end it before."""


@dataclass(frozen=True, slots=True)
class Victim:
    """A process that was hit, with the children that it had: none of them may outlive it."""

    name: str
    process: psutil.Process
    children: tuple[psutil.Process, ...]


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Kill everything in turn under load, and count."""
    return run_blows(stack, plan, blows(plan.only, plan.times or 1, plan.seed), told)


def run_blows(stack: OwnStack, plan: Plan, dealt: Iterable[Blow], told: Told) -> Outcome:
    """Deal these blows under load, and count."""
    with under_load(stack, plan) as (till, complaints):
        turns = plan.each(list(dealt))
        rows, more = deal(stack, till, turns, lambda found: told(_text(found)))
        complaints.extend(more)
    told("the till stands; every line is counted …")
    counted = count(stack, till.key, till.ends)
    return Outcome(rows, counted, complaints, till.lines_per_second())


def _text(found: Row | str) -> str:
    return sentence(found) if isinstance(found, Row) else found


def blows(only: str | None, times: int, seed: int) -> Iterator[Blow]:
    """Give the blows of a whole drill: each process and a pair N times, two that are stopped.

    With `only` that component alone, N times; `streaming` is its driver and its JVM in turn.
    """
    if only:
        yield from (Blow((name,)) for _ in range(times) for name in NAMES if _is_of(only, name))
        return
    chance = Random(seed)
    for _ in range(times):
        order = chance.sample(NAMES, len(NAMES))
        yield from (Blow((name,)) for name in order)
        yield Blow(tuple(chance.sample(COMPONENTS, 2)))
    for name in chance.sample((*SERVERS, *STAGES), 2):
        yield Blow((name,), signal.SIGSTOP, STOPPED_SECONDS)


def _is_of(component: str, name: str) -> bool:
    return name in {component, f"{component}-jvm"}


def deal(
    stack: OwnStack, till: Till, dealt: Iterable[Blow], told: Callable[[Row | str], None]
) -> tuple[list[Row], list[str]]:
    """Deal the blows, one when the one before is over.

    Gives a row for each process hit that answers again, and a complaint for everything that was
    not as it has to be; the drill goes on after it. `told` is given each when it happens.
    """
    rows: list[Row] = []
    complaints: list[str] = []
    for blow in dealt:
        for found in _deal(stack, till, blow):
            told(found)
            if isinstance(found, Row):
                rows.append(found)
            else:
                complaints.append(found)
        time.sleep(CALM_SECONDS)
    return rows, complaints


def _deal(stack: OwnStack, till: Till, blow: Blow) -> Iterator[Row | str]:
    begun, written = time.monotonic(), till.written()
    victims = []
    # first everyone is found, then all are hit: at once
    for name in blow.names:
        try:
            victims.append(_find(stack, till, name))
        except LoyaltyError as error:
            yield str(error)
    for victim in victims:
        _hit(till, victim, blow.number)
    for victim in sorted(victims, key=lambda victim: victim.name != TILL):
        try:
            killed = _was_ended(victim, blow)
            if not killed:
                yield f"{victim.name} was stopped for {blow.seconds:.0f} s and not started again"
            if victim.name == TILL:
                till.start()
            pid = victim.process.pid if killed else 0
            answers = await_answer(stack, till, victim.name, pid)
        except LoyaltyError as error:
            yield str(error)
        else:
            seconds, lines = time.monotonic() - begun, till.written() - written
            yield Row(victim.name, _said(blow, victim.name), pid, answers, seconds, lines)
            if killed:
                yield from _outlive(victim)


def _find(stack: OwnStack, till: Till, name: str) -> Victim:
    """Find a component's process; raises LoyaltyError where it has none for a minute."""

    def find() -> Victim:
        pid = pid_of(stack, till, name)
        if not pid:
            raise LoyaltyError("it has no process")
        try:
            process = psutil.Process(pid)
            return Victim(name, process, tuple(process.children(recursive=True)))
        except psutil.NoSuchProcess as error:
            raise LoyaltyError("it has just ended: there will be another") from error

    says = f"{name} was not hit: it has had no process for {_PID_SECONDS} s"
    return insist(find, _PID_SECONDS, says, every=0.1)


def _hit(till: Till, victim: Victim, number: signal.Signals) -> None:
    if victim.name == TILL:
        till.kill()
    else:
        os.kill(victim.process.pid, number)


def _was_ended(victim: Victim, blow: Blow) -> bool:
    """Tell whether the process is gone; a stopped one goes on after its time.

    Raises LoyaltyError where SIGKILL did not end it.
    """
    seconds = _GONE_SECONDS if blow.number == signal.SIGKILL else blow.seconds
    end = time.monotonic() + seconds
    while not _is_gone(victim.process):
        if time.monotonic() > end:
            if blow.number == signal.SIGKILL:
                raise LoyaltyError(f"{victim.name} was not killed: its process lives")
            victim.process.send_signal(signal.SIGCONT)
            return False
        time.sleep(0.1)
    return True


def _outlive(victim: Victim) -> list[str]:
    """Complain of children that are still there some seconds after their parent's end."""
    end = time.monotonic() + _GONE_SECONDS
    while alive := [child for child in victim.children if not _is_gone(child)]:
        if time.monotonic() > end:
            return [
                f"{victim.name}'s process {child.pid} outlived its parent {victim.process.pid}"
                for child in alive
            ]
        time.sleep(0.1)
    return []


def _is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _said(blow: Blow, name: str) -> str:
    others = [other for other in blow.names if other != name]
    return " with ".join((blow.number.name, *others))
