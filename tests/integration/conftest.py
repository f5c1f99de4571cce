"""The tests' own stack: a data folder and ports of its own, started by the first test that asks.

It runs beside a running `up`. Nothing is mocked: the servers are the product's.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.places import Places
from pipeline.settings import ROOT, Settings

PORTS = [name for name in Settings.model_fields if name.endswith("_port")]


@dataclass(frozen=True)
class RunningStack:
    """A running `up --empty` and its command line."""

    settings: Settings
    environment: dict[str, str]

    @property
    def places(self) -> Places:
        """The folders of its data folder."""
        return Places(self.settings.data)

    def run(
        self, *arguments: str, stdin: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run `./loyalty ARGUMENTS` against it, never raising for its exit code."""
        return subprocess.run(
            [str(ROOT / "loyalty"), *arguments],
            env=self.environment, cwd=ROOT, input=stdin, timeout=timeout,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def ok(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command that must succeed, and give its standard output."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def free_ports(count: int) -> list[int]:
    """Give ports that nobody listens on, all different."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def make_stack(data: Path, **settings: str) -> RunningStack:
    """Describe a stack of a test's own; nothing is started."""
    values = {f"LOYALTY_{name.upper()}": str(port)
              for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}  # fmt: skip
    values |= {f"LOYALTY_{name.upper()}": value for name, value in settings.items()}
    values["LOYALTY_DATA"] = str(data)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("LOYALTY_")}
    model = Settings.model_validate(
        {k.removeprefix("LOYALTY_").lower(): v for k, v in values.items()}
    )
    return RunningStack(model, inherited | values)


@pytest.fixture(scope="session")
def stack() -> Iterator[RunningStack]:
    """Start one empty stack for the session, and take it down with its data at the end."""
    data = Path(tempfile.mkdtemp(prefix="loyalty-test-"))
    running = make_stack(data, trigger_seconds="1")
    started = running.run("up", "--empty", timeout=600)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield running
    finally:
        stopped = running.run("down", timeout=200)
        shutil.rmtree(data, ignore_errors=True)
        assert stopped.returncode == 0, stopped.stderr
