"""What `status` tells: each component's state, memory, restarts and whether it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import psutil

from cluster.asking import Late, reason_of
from cluster.findings import BUSY_LOAD, Findings
from cluster.patient import stretch
from cluster.readiness import real_questions
from cluster.restarts import read_restarts
from cluster.stack import Stack
from cluster.supervision import Process
from cluster.vitals import STOPPED, is_stopped, load
from pipeline.settings import Settings

PATIENCE_SECONDS: Final = 1.2
"""The most that the questions of one `status` take."""
LEAST_SECONDS: Final = 0.5
"""All servers of a stack that is well have answered after 0.3 to 0.4 s on a slow machine."""
ANSWER_SECONDS: Final = 1.75
"""`status` answers within two seconds, also when half of the stack is down: its start and its
questions take so long at most, to draw it the rest."""

Question = Callable[[Settings], None]
Answers = Mapping[Question, object]
"""What each question gave: an exception where that was no answer."""

NO_QUESTION: Final = object()
NOT_ASKED: Final = Late("it was not asked")


@dataclass(frozen=True, slots=True)
class Health:
    """One component. `state`: answering, running, stuck, silent, starting, down; one that is given
    (where: host:port), or in a container, answers or is silent, runs or is stuck.

    Who has a port is asked now. Flume, stream and producer are running, or stuck: the watcher
    finds that they have something to do and do not move, or their process is stopped.

    `port` is the one for clients, None where it listens on none; memory is resident, in MiB,
    with child processes. `error`: why it is silent, or stuck as of now; else empty.
    """

    name: str
    title: str
    state: str
    restarts: int
    port: int | None
    rss_mib: int
    error: str = ""
    given: str = ""

    @property
    def is_healthy(self) -> bool:
        """Tell whether nothing has to be done about it."""
        return self.state in {"answering", "running"}


def patience(age: float = 0) -> float:
    """Give how many seconds all questions may take here and now.

    age: how long the command has taken already, in seconds.
    """
    left = min(PATIENCE_SECONDS, max(LEAST_SECONDS, ANSWER_SECONDS - age))
    return left * stretch(load(), BUSY_LOAD)


def questions(
    stack: Stack, processes: Mapping[str, Process]
) -> dict[Question, Callable[[], object]]:
    """Give the real question of everyone who runs or is given, each distinct one once."""
    settings = stack.settings
    asked = {
        question
        for name, question in real_questions(settings).items()
        if stack.components[name].address(settings) or _runs(processes.get(name))
    }
    return {question: lambda question=question: question(settings) for question in asked}  # type: ignore[misc]


def judge(
    stack: Stack,
    processes: Mapping[str, Process],
    answers: Answers,
    findings: Findings,
) -> list[Health]:
    """Put together what supervisord, the questions and the watcher's findings say."""
    restarts = read_restarts(stack.places)
    stuck = {name for name, found in findings.components.items() if found["stuck"]}
    asked = real_questions(stack.settings)
    health = []
    for c in stack.components.values():
        process, elsewhere = processes.get(c.name), c.address(stack.settings)
        given = elsewhere if c.is_given(stack.settings) else ""
        answer = answers.get(asked[c.name], NOT_ASKED) if c.name in asked else NO_QUESTION
        if elsewhere:
            found = findings.components.get(c.name, {}) if answer is NO_QUESTION else {}
            reason = str(found["reason"]) if found.get("stuck") else ""
            state, error = _state_elsewhere(answer, reason)
        else:
            state, error = _state(process, answer, is_stuck=c.name in stuck)
        health.append(Health(
            name=c.name,
            title=c.title,
            state=state,
            restarts=restarts.get(c.name, 0),
            port=None if given else next(iter(c.port_numbers(stack.settings)), None),
            rss_mib=resident_mib(process.pid) if process and process.pid else 0,
            error=error,
            given=given,
        ))  # fmt: skip
    return health


def _runs(process: Process | None) -> bool:
    return process is not None and process.pid > 0


def _state_elsewhere(answer: object, reason: str) -> tuple[str, str]:
    """reason: why one that has no question is stuck, as the watcher has found."""
    if isinstance(answer, Exception):
        return "silent", reason_of(answer)
    if answer is NO_QUESTION:
        return ("stuck", reason) if reason else ("running", "")
    return "answering", ""


def _state(process: Process | None, answer: object, *, is_stuck: bool) -> tuple[str, str]:
    if process is None or not process.pid:
        restarting = process is not None and process.state in {"BACKOFF", "STARTING"}
        return "starting" if restarting else "down", ""
    if answer is not NO_QUESTION and not isinstance(answer, Exception):
        return "answering", ""
    stopped = STOPPED if is_stopped(process.pid) else ""
    if not isinstance(answer, Exception):
        return "stuck" if is_stuck or stopped else "running", stopped
    return "starting" if process.state == "STARTING" else "silent", stopped or reason_of(answer)


def resident_mib(pid: int) -> int:
    """Give the resident memory of a process and its children, 0 when it has just ended."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family) // 2**20
    except psutil.NoSuchProcess:
        return 0
