"""The start: a graph of steps, each begun when what it needs is done, side by side otherwise."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final, TypeVar

from thrift.Thrift import TException

from cluster.supervision import Supervisor
from pipeline.errors import LoyaltyError
from pipeline.places import Places

NEVER: Final = threading.Event()
"""Is never set: waiting for it is a pause."""

Answer = TypeVar("Answer")

NOT_READY: Final = (LoyaltyError, OSError, EOFError, TException)
"""What a question raises while its component cannot answer; anything else is a bug of ours."""

PATIENCE_SECONDS: Final = 300
"""How long a component may take to its first real answer; measured: 2 to 17, on a machine that
was busy with five stacks 75."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the start: `action` returns when it is done and raises LoyaltyError."""

    name: str
    title: str
    action: Callable[[], object]
    needs: tuple[str, ...] = field(default=())


def run_steps(
    steps: list[Step], done: Callable[[Step, float], None], halt: threading.Event | None = None
) -> None:
    """Run all steps; `done` is told each one and the seconds that it took.

    At the first failure, or Ctrl-C, nothing more is begun, `halt` is set so that nobody waits for
    answers any more, and it is raised when those under way ended.
    Needs that are no step of this start are taken as met.
    """
    by_name: Mapping[str, Step] = {step.name: step for step in steps}
    graph = {step.name: [need for need in step.needs if need in by_name] for step in steps}
    order = TopologicalSorter(graph)
    order.prepare()
    running: dict[Future[float], Step] = {}
    with ThreadPoolExecutor(max_workers=len(steps) or 1, thread_name_prefix="start") as pool:
        while order.is_active():
            for name in order.get_ready():
                running[pool.submit(_timed, by_name[name])] = by_name[name]
            try:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
            except KeyboardInterrupt:
                if halt is not None:
                    halt.set()
                raise
            for future in finished:
                step = running.pop(future)
                if future.exception() is not None and halt is not None:
                    halt.set()
                done(step, future.result())
                order.done(step.name)


def _timed(step: Step) -> float:
    begun = time.monotonic()
    step.action()
    return time.monotonic() - begun


def last_words(log: Path, lines: int = 8) -> str:
    """Give the end of a log file, for an error's sentence."""
    return "\n  ".join(read_end(log)[-lines:]) if log.exists() else "(no log yet)"


def read_end(log: Path) -> list[str]:
    """Give the lines in a log file's last 8 KiB, the first of which may be cut; none without it."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        return file.read().decode("utf-8", errors="replace").splitlines()


def wait_for_answer(
    name: str,
    question: Callable[[], Answer],
    supervisor: Supervisor,
    places: Places,
    *,
    patience: float = PATIENCE_SECONDS,
    halt: threading.Event | None = None,
) -> Answer:
    """Ask a component its question until it gives a real answer, and give that.

    Ended early (three times) and timed out are different errors, each with the log's tail.
    """
    end = time.monotonic() + patience
    pids: set[int] = set()
    while True:
        try:
            return question()
        except NOT_READY as error:
            process = supervisor.processes().get(name)
            if process is not None and process.pid:
                pids.add(process.pid)
            log = places.logs / f"{name}.log"
            if len(pids) > 3:
                raise LoyaltyError(
                    f"{name} ended again and again. `./loyalty logs {name}` shows all of:"
                    f"\n  {last_words(log)}"
                ) from error
            if time.monotonic() > end:
                raise LoyaltyError(
                    f"{name} gave no answer in {patience:.0f} s ({error}). "
                    f"`./loyalty logs {name}` shows all of:\n  {last_words(log)}"
                ) from error
            if (halt or NEVER).wait(0.2):
                raise LoyaltyError(f"{name} was not waited for: another step failed.") from error
