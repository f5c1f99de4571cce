"""A process that a drill lets die at a chosen moment, in the place of the supervised one."""

import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psutil

from cluster.component import read_components
from cluster.java import environment
from drill import agent
from drill.stack import OwnStack
from pipeline.errors import LoyaltyError
from pipeline.settings import ROOT

REACH_SECONDS: Final = 180
"""How long a process may take to the moment at which it dies."""


class NotReached(LoyaltyError):
    """The moment has not come: the drill proves nothing of it."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A process that runs with a point in it; in a `with`, nothing of it outlives the body."""

    name: str
    mark: Path
    process: subprocess.Popen[bytes]
    log: Path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        end_family(self.process)

    def await_death(self) -> int:
        """Wait until it has died at its moment; gives the pid of what died, by its mark.

        Raises NotReached when it has ended before, or has not come to it in time.
        """
        try:
            code = self.process.wait(timeout=REACH_SECONDS)
        except subprocess.TimeoutExpired:
            raise NotReached(f"{self.name} was not reached in {REACH_SECONDS} s; see {self.log}")\
                from None  # fmt: skip
        if not self.mark.exists():
            raise NotReached(
                f"{self.name} was not reached: its process ended with {code}; see {self.log}"
            )
        pid = int(self.mark.read_text(encoding="ascii"))
        end = time.monotonic() + 10
        while psutil.pid_exists(pid):
            if time.monotonic() > end:
                raise NotReached(f"{self.name} was reached, but process {pid} lives on.")
            time.sleep(0.05)
        return pid


def end_family(process: subprocess.Popen[bytes]) -> None:
    """Kill a process of ours with its children, and reap it; one that has ended is only reaped."""
    if process.poll() is None:
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in family:
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.wait()


def doom_component(stack: OwnStack, component: str, name: str) -> Doomed:
    """Start a component, whose supervised process must not run, with the point of that name."""
    mark, log = _places(stack, name)
    variables = stack.environment | environment(read_components()[component], stack.settings)
    command = [sys.executable, "-m", "drill.point", name, str(mark), component]
    if name in agent.NAMES:
        variables |= agent.environment(name, mark, stack.settings.data / "points")
        command = [sys.executable, "-m", component]
    return Doomed(name, mark, _start(command, variables, stack.places.run, log), log)


def doom_command(stack: OwnStack, name: str, arguments: list[str]) -> Doomed:
    """Start `./loyalty ARGUMENTS` with the point of that name."""
    mark, log = _places(stack, name)
    command = [sys.executable, "-m", "drill.point", name, str(mark), "pipeline", *arguments]
    return Doomed(name, mark, _start(command, stack.environment, ROOT, log), log)


def _places(stack: OwnStack, name: str) -> tuple[Path, Path]:
    folder = stack.settings.data / "points"
    folder.mkdir(exist_ok=True)
    mark = folder / f"{name}.mark"
    mark.unlink(missing_ok=True)
    return mark, stack.places.logs / f"doomed-{name}.log"


def _start(
    command: list[str], variables: dict[str, str], folder: Path, log: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command, env=variables, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output,
        )  # fmt: skip
