"""A stack of one's own: a data folder and ports of its own, beside whatever else runs."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

from cluster.supervision import Supervisor
from hive.output import json_rows
from hive.session import connect
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.settings import ROOT, Settings, defaults
from pipeline.topic import Topic
from pipeline.variables import PREFIX, variable_of

PORTS: Final = [name for name in Settings.model_fields if name.endswith("_port")]
UP_SECONDS: Final = 900
QUERY_SECONDS: Final = 300
DOWN_SECONDS: Final = 200
LAUNCHER: Final = "loyalty"
_OWN_PORTS: Final = range(17_000, 32_000)
"""Above our servers' own, below the system's for connections (from 32768 on)."""


@dataclass(frozen=True)
class OwnStack:
    """Its settings, and the environment in which `./loyalty` means it and no other."""

    settings: Settings
    environment: dict[str, str]

    @cached_property
    def places(self) -> Places:
        """The folders of its data folder."""
        return Places(self.settings.data)

    @cached_property
    def supervisor(self) -> Supervisor:
        """Who cares for its processes."""
        return Supervisor(self.places)

    @cached_property
    def topic(self) -> Topic:
        """Its topic of order lines."""
        return Topic(self.settings.kafka, self.settings.topic, timeout=5)

    def command(self, *arguments: str) -> list[str]:
        """Give the command line that means it, where the environment does."""
        return [str(ROOT / "loyalty"), *arguments]

    def exports(self) -> dict[str, str]:
        """Give the variables that mean this stack and no other."""
        return self.settings.environment()

    def start(self, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        """Start `./loyalty ARGUMENTS` against it in a process of its own, its output in a file."""
        with log.open("ab") as output:
            return subprocess.Popen(
                self.command(*arguments),
                env=self.environment, cwd=ROOT, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output,
            )  # fmt: skip

    def run(
        self, *arguments: str, stdin: str | None = None, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run `./loyalty ARGUMENTS` against it, never raising for its exit code.

        Raises LoyaltyError where it has not ended after so many seconds; it is killed then.
        """
        try:
            return subprocess.run(
                self.command(*arguments),
                env=self.environment, cwd=ROOT, input=stdin, timeout=timeout,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise LoyaltyError(
                f"`./loyalty {' '.join(arguments)[:200]}` had not ended after {timeout:.0f} s."
            ) from error

    def ok(self, *arguments: str, stdin: str | None = None, timeout: float = 300) -> str:
        """Run a command that must succeed, and give its standard output.

        Raises LoyaltyError with what it said, and with the status that says who was restarted why.
        """
        done = self.run(*arguments, stdin=stdin, timeout=timeout)
        if done.returncode:
            raise LoyaltyError(
                f"`./loyalty {' '.join(arguments)}` ended with {done.returncode}:"
                f"\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}\n{self.run('status').stdout}"
            )
        return done.stdout

    def answer(self, *arguments: str, timeout: float = 300) -> Any:
        """Give what a command prints as JSON, whatever its exit code.

        (verify exits with 1 for a difference, and prints all the same.) Raises LoyaltyError where
        it prints none.
        """
        done = self.run(*arguments, "--json", timeout=timeout)
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            raise LoyaltyError(
                f"{arguments[0]} gave no answer: {(done.stderr or done.stdout).strip()[-500:]}"
            ) from error

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Give the rows of one statement by column, with the values of `sql --json`, without its
        process: Hive is asked often.

        Raises LoyaltyError with the statement, and with the status that says who was restarted why.
        """
        try:
            with (
                connect(*self.settings.hive, timeout=QUERY_SECONDS) as session,
                session.result(statement) as result,
            ):
                return [] if result is None else list(json_rows(result))
        except LoyaltyError as error:
            status = self.run("status").stdout
            raise LoyaltyError(f"{statement[:200]}: {error}\n{status}") from error


def write_launcher(stack: OwnStack) -> Path:
    """Write a `loyalty` into the data folder that means this stack, now and after `down`."""
    path = stack.places.data / LAUNCHER
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(
        stack.exports().items())]  # fmt: skip
    script = f'exec {shlex.join(stack.command())} "$@"'
    path.write_text("\n".join(["#!/bin/sh", *lines, script, ""]), encoding="utf-8")
    path.chmod(0o700)
    return path


def free_ports(count: int) -> list[int]:
    """Give ports that nobody listens on, none of them given before by this process.

    They are below those that the system gives to connections: a client could hold one of these
    by the time its server starts, which may be minutes later.
    """
    found = (port for port in _candidates if _is_free(port))
    return list(islice(found, count))


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        # as servers do: a connection that ended a moment ago is in nobody's way
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


# each process begins a thousand further on: two that look at the same time find different ones
_first = os.getpid() * 1009 % len(_OWN_PORTS)
_candidates = cycle([*_OWN_PORTS[_first:], *_OWN_PORTS[:_first]])


def describe(data: Path, **settings: str) -> OwnStack:
    """Describe a stack with free ports; nothing is started.

    Every other setting has its default: the caller's environment and `.env` may name servers that
    nobody may break.
    """
    values = {name: str(value) for name, value in defaults().items()}
    values |= {variable_of(name): str(port)
               for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}  # fmt: skip
    # a drill makes its snapshots itself
    values |= {"LOYALTY_REFRESH": "off", "LOYALTY_REFRESH_NIGHTLY": "off"}
    values |= {variable_of(name): value for name, value in settings.items()}
    values["LOYALTY_DATA"] = str(data)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    keys = {variable_of(name): field.validation_alias or name
            for name, field in Settings.model_fields.items()}  # fmt: skip
    model = Settings.model_validate({keys[name]: value for name, value in values.items()})
    return OwnStack(model, inherited | values)


def is_removed(_data: Path) -> bool:
    """Keep no data, however it went."""
    return False


@contextmanager
def own_stack(
    is_kept: Callable[[Path], bool] = is_removed, /, **settings: str
) -> Iterator[OwnStack]:
    """Start an empty stack in a new temporary folder; at the end it goes down, with its data.

    Where `is_kept` says so then, its data stays. Raises LoyaltyError where it does not start, or
    does not go down.
    """
    with new_folder(is_kept) as data, running(describe(data, **settings), "--empty") as stack:
        yield stack


@contextmanager
def demo_stack(is_kept: Callable[[Path], bool] = is_removed, /) -> Iterator[OwnStack]:
    """Start the demo as a newcomer has it, refreshes scheduled; else like own_stack."""
    usual = {name: Settings.model_fields[name].default for name in ("refresh", "refresh_nightly")}
    with new_folder(is_kept) as data, running(describe(data, **usual)) as stack:
        yield stack


@contextmanager
def new_folder(is_kept: Callable[[Path], bool]) -> Iterator[Path]:
    """Make a temporary data folder; at the end it is removed, unless `is_kept` says otherwise."""
    data = Path(tempfile.mkdtemp(prefix="loyalty-drill-"))
    try:
        yield data
    finally:
        if not is_kept(data):
            shutil.rmtree(data, ignore_errors=True)


@contextmanager
def running(stack: OwnStack, *options: str) -> Iterator[OwnStack]:
    """Start a stack, with options of `up`; at the end it goes down. Raises LoyaltyError where it
    does not.
    """
    try:
        stack.ok("up", *options, timeout=UP_SECONDS)
        yield stack
    finally:
        stopped = stack.run("down", timeout=DOWN_SECONDS)
        if stopped.returncode:
            raise LoyaltyError(f"the drill's stack did not go down: {stopped.stderr[-500:]}")
