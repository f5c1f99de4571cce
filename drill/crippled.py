"""Stages that run without one of their safeties, and how they are told to end."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cluster.component import read_components
from cluster.java import environment
from drill.readers import Chase
from drill.stack import OwnStack
from drill.waiting import insist
from pipeline.errors import LoyaltyError
from pipeline.topic import GROUPS
from streaming.progress import read_progress

PATIENCE_SECONDS: Final = 180


@contextmanager
def unacknowledged(conf: Path) -> Iterator[None]:
    """Take the acknowledgement away in Flume's rendered file; it is whole again whatever happens.

    Raises LoyaltyError where there is none.
    """
    whole = conf.read_text(encoding="utf-8")
    lacking = whole.replace("producer.acks = all", "producer.acks = 0").replace(
        "enable.idempotence = true", "enable.idempotence = false"
    )
    if lacking == whole:
        raise LoyaltyError(f"{conf} has no acknowledgement that could be taken away.")
    conf.write_text(lacking, encoding="utf-8")
    try:
        yield
    finally:
        conf.write_text(whole, encoding="utf-8")


@contextmanager
def crippled(stack: OwnStack, component: str, safety: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a component without a safety, in the place of the supervised one; ends it."""
    words = ["drill.lack", safety, component]
    with replaced(stack, component, words, log=f"without-{safety}") as process:
        yield process


@contextmanager
def replaced(
    stack: OwnStack, component: str, words: list[str], *, log: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m WORDS` with a component's environment, in its place; ends it.

    The supervised one has to be stopped.
    """
    variables = stack.environment | environment(read_components()[component], stack.settings)
    with (stack.places.logs / f"{log}.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], env=variables, cwd=stack.places.run,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def demand_end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        raise LoyaltyError("the stream without staging has not died in the middle of a file")


def epoch_of(stack: OwnStack) -> int:
    progress = read_progress(stack.places)
    return (progress.epoch or 0) if progress else 0


def has_said(log: Path, start: int, word: str) -> None:
    if word not in log.read_bytes()[start:].decode(errors="replace"):
        raise LoyaltyError(f"{log} does not say {word}")


def restart_flume(stack: OwnStack) -> None:
    stack.supervisor.stop("flume")
    stack.supervisor.start("flume")
    await_readers(stack, *GROUPS)


def await_readers(stack: OwnStack, *readers: str) -> None:
    """Wait until the readers have got what is in the log files now."""
    chase = Chase(stack)
    answer(lambda: chase.check(*readers))


def answer(question: Callable[[], None]) -> None:
    """Ask until there is an answer; raises what there was instead after three minutes."""
    insist(question, PATIENCE_SECONDS)
