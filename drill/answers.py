"""When does a component answer again? It is asked its real question, as the start asks it."""

from collections.abc import Callable
from typing import Final

import psutil

from cluster.readiness import QUESTIONS, real_questions
from drill.load import Till
from drill.readers import STREAM, Chase
from drill.stack import OwnStack
from drill.waiting import insist
from pipeline.errors import LoyaltyError
from pipeline.topic import GROUPS

SERVERS: Final = tuple(name for name in QUESTIONS if name != "refresh")
"""All that answer a question but the schedule: a drill makes its snapshots itself."""
JVM: Final = "streaming-jvm"
"""The JVM of the stream's driver, a process of its own that can die alone."""
STAGES: Final = ("flume", "streaming", JVM)
TILL: Final = "producer"
PATIENCE_SECONDS: Final = 300
READ_AGAIN: Final = 2_000
"""Lines a second, at least, where a position file was lost and all that there is is read again."""
_EVERY_SECONDS: Final = 0.2


def pid_of(stack: OwnStack, till: Till, name: str) -> int:
    """Give the pid of a component's process; 0 where there is none just now."""
    if name == TILL:
        return till.pid
    process = stack.supervisor.processes().get("streaming" if name == JVM else name)
    if process is None or name != JVM:
        return process.pid if process else 0
    try:
        children = psutil.Process(process.pid).children() if process.pid else []
        return next((child.pid for child in children if child.name() == "java"), 0)
    except psutil.NoSuchProcess:
        return 0


def await_answer(stack: OwnStack, till: Till, name: str, killed: int) -> int:
    """Wait for a process other than the killed one that answers; gives its pid.

    A server answers its question. Flume and the stream answer when they have taken what was in
    the log files when this was asked for; the till answers when it writes, which its start has
    waited for. Raises LoyaltyError after five minutes, and as long as a stage may need to read
    again all that the till has written.
    """
    question = _question(stack, name)
    patience = PATIENCE_SECONDS
    if name in STAGES:
        patience += till.written() // READ_AGAIN

    def answers() -> int:
        pid = pid_of(stack, till, name)
        if pid in {0, killed}:
            raise LoyaltyError("no other process was started")
        question()
        if pid_of(stack, till, name) != pid:
            raise LoyaltyError("its process ended again")
        return pid

    log = stack.places.logs / f"{name.removesuffix('-jvm')}.log"
    says = f"{name} does not answer after {patience} s ({{error}}); its log is {log}"
    return insist(answers, patience, says, _EVERY_SECONDS)


def _question(stack: OwnStack, name: str) -> Callable[[], None]:
    if name == TILL:
        return lambda: None
    if name in QUESTIONS:
        return lambda: real_questions(stack.settings)[name](stack.settings)
    readers = GROUPS if name == "flume" else (STREAM,)
    chase: list[Chase] = []

    def has_moved() -> None:
        # not before there is another process: what the old one had done is no answer
        if not chase:
            chase.append(Chase(stack))
        chase[0].check(*readers)

    return has_moved
