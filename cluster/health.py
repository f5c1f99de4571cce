"""What `status` tells: each component's state, memory, restarts and whether it answers."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psutil

from cluster.component import Component
from cluster.readiness import QUESTIONS
from cluster.restarts import read_restarts
from cluster.stack import Stack
from cluster.startup import NOT_READY
from cluster.supervision import Process
from pipeline.settings import Settings

PATIENCE_SECONDS: Final = 1.5
"""`status` answers within two seconds, also when half of the stack is down."""


@dataclass(frozen=True, slots=True)
class Health:
    """One component. `state`: answering, running (it is asked nothing), silent, starting, down.

    `port` is the one for clients, None where it listens on none; memory is resident, in MiB,
    with child processes.
    """

    name: str
    title: str
    state: str
    restarts: int
    port: int | None
    rss_mib: int

    @property
    def is_healthy(self) -> bool:
        """Tell whether nothing has to be done about it."""
        return self.state in {"answering", "running"}


def look(stack: Stack) -> list[Health]:
    """Ask supervisord and, side by side, every component its real question."""
    processes = stack.supervisor.processes()
    restarts = read_restarts(stack.places.run / "restarts.json")
    answers = _ask([name for name in QUESTIONS if _runs(processes.get(name))], stack)
    return [
        Health(
            name=c.name,
            title=c.title,
            state=_state(c, processes.get(c.name), answers),
            restarts=restarts.get(c.name, 0),
            port=next(iter(c.port_numbers(stack.settings)), None),
            rss_mib=resident_mib(processes[c.name].pid) if _runs(processes.get(c.name)) else 0,
        )
        for c in stack.components.values()
    ]


def _runs(process: Process | None) -> bool:
    return process is not None and process.pid > 0


def _state(component: Component, process: Process | None, answers: dict[str, bool]) -> str:
    if process is None or not process.pid:
        restarting = process is not None and process.state in {"BACKOFF", "STARTING"}
        return "starting" if restarting else "down"
    if component.name not in QUESTIONS:
        return "running"
    if answers.get(component.name):
        return "answering"
    return "starting" if process.state == "STARTING" else "silent"


def _ask(names: list[str], stack: Stack) -> dict[str, bool]:
    """Ask each distinct question once, side by side; who answers too late is taken as silent.

    The threads are daemons: a question that hangs does not hold up the command's end.
    """
    good: set[object] = set()
    threads = []
    for question in {QUESTIONS[name] for name in names}:

        def ask(question: Callable[[Settings], None] = question) -> None:
            with suppress(*NOT_READY):
                question(stack.settings)
                good.add(question)

        threads.append(threading.Thread(target=ask, daemon=True))
        threads[-1].start()
    end = time.monotonic() + PATIENCE_SECONDS
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    return {name: QUESTIONS[name] in good for name in names}


def resident_mib(pid: int) -> int:
    """Give the resident memory of a process and its children, 0 when it has just ended."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family) // 2**20
    except psutil.NoSuchProcess:
        return 0
