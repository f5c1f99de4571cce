"""Supervisor cares for the processes: its configuration, its start, and its answers.

One supervisord per data folder, reached by a socket there. It restarts what dies, with a
back-off for what dies at once or again and again (cluster.backoff), and rotates the logs (manual:
supervisord.org).
"""

import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from supervisor.xmlrpc import SupervisorTransport

from cluster.component import Component
from pipeline.errors import Busy, LoyaltyError, Unavailable
from pipeline.lock import in_turn, only_one
from pipeline.places import Places

STOP_SECONDS: Final = {"hbase": 40, "flume": 40, "streaming": 30}
"""How long a process may take to end after SIGTERM, before it is killed."""
DEFAULT_STOP_SECONDS: Final = 10
_ENDED_SECONDS: Final = 10
"""How long supervisord may take to notice an end, and to start what has ended."""
STANDS: Final = ("STOPPED", "FATAL")
"""In these states a process is started by nobody but who asks for it."""

WATCHER: Final = "watcher"
"""The program that asks every component its question (cluster.watch)."""
_IS_GONE: Final = (
    "supervisord has just ended; `./loyalty up` starts everything again, `./loyalty down` ends what"
    " it has left."
)
_HELD: Final = "held"
"""The folder, below `run`, with a file for each component that a command has stopped for a while:
the command holds its lock."""


def socket_path(places: Places) -> Path:
    """Give supervisord's socket."""
    return places.run / "supervisor.sock"


def _quoted(values: Mapping[str, str]) -> str:
    return ",".join(f'{k}="{v.replace("%", "%%")}"' for k, v in values.items())


def _program(
    component: Component,
    command: list[str],
    environment: Mapping[str, str],
    places: Places,
    rotation: "Rotation",
) -> str:
    words = " ".join(f'"{word}"' if any(c in word for c in ' ;"') else word for word in command)
    return f"""
[program:{component.name}]
command={words.replace("%", "%%")}
directory={places.run}
environment={_quoted(environment)}
autostart=false
autorestart=true
startsecs=5
startretries=1000000
stopwaitsecs={STOP_SECONDS.get(component.name, DEFAULT_STOP_SECONDS)}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={places.logs}/{component.name}.log
stdout_logfile_maxbytes={rotation.mib}MB
stdout_logfile_backups={rotation.files}
"""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The size at which a component's log is put aside, and how many are kept then."""

    mib: int
    files: int


def write_configuration(
    places: Places,
    programs: Mapping[str, tuple[Component, list[str], Mapping[str, str]]],
    environment: Mapping[str, str],
    rotation: Rotation,
) -> None:
    """Write supervisord.conf: one program a component, and the watcher with its environment."""
    text = f"""
[supervisord]
logfile={places.logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile={places.run}/supervisord.pid
childlogdir={places.logs}
umask=027

[unix_http_server]
file={socket_path(places)}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=cluster.backoff:make_interface

[eventlistener:{WATCHER}]
command="{sys.executable}" -m cluster.watch
environment={_quoted(environment)}
events=PROCESS_STATE_EXITED,PROCESS_STATE_BACKOFF
autorestart=true
startretries=1000000
stderr_logfile={places.logs}/{WATCHER}.log
stderr_logfile_maxbytes=1MB
stderr_logfile_backups=1
"""
    text += "".join(_program(*program, places, rotation) for program in programs.values())
    path = places.run / "supervisord.conf"
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Process:
    """What supervisor says of one component: its state in supervisor's words, 0 for no pid."""

    name: str
    state: str
    pid: int


class Supervisor:
    """The supervisord of one data folder."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def _call(self, method: str, *arguments: Any) -> Any:
        """Call a method of supervisord's XML-RPC interface `supervisor`."""
        transport = SupervisorTransport(None, None, f"unix://{socket_path(self._places)}")
        try:
            server = xmlrpc.client.ServerProxy("http://loopback", transport=transport)
            return getattr(server.supervisor, method)(*arguments)
        except (ConnectionError, FileNotFoundError) as error:
            raise Unavailable(_IS_GONE) from error
        finally:
            transport.close()

    def is_running(self) -> bool:
        """Tell whether supervisord answers."""
        if not socket_path(self._places).exists():
            return False
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except (OSError, Unavailable, xmlrpc.client.Fault):
            return False

    def start_daemon(self) -> None:
        """Start supervisord in the background, and wait until it answers."""
        conf = self._places.run / "supervisord.conf"
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(conf)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        end = time.monotonic() + 10
        while not self.is_running():
            if done.returncode or time.monotonic() > end:
                said = (done.stderr or done.stdout).strip().splitlines()
                raise LoyaltyError(
                    f"supervisord did not start: {said[-1] if said else 'it said nothing'} "
                    f"See {self._places.logs / 'supervisord.log'}."
                )
            time.sleep(0.05)

    def stop_daemon(self) -> None:
        """Let supervisord stop whatever still runs, and end."""
        self._call("shutdown")

    def daemon_pid(self) -> int:
        """Give supervisord's own pid."""
        return int(self._call("getPID"))

    def processes(self) -> dict[str, Process]:
        """Give the state of every component; {} when supervisord does not run."""
        if not self.is_running():
            return {}
        rows = cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))
        return {
            row["name"]: Process(row["name"], row["statename"], row["pid"])
            for row in rows
            if row["group"] != WATCHER
        }

    def start(self, name: str) -> bool:
        """Start a component without waiting; False when it runs already.

        One that is just stopping is waited for: supervisord kills it when its time is over.
        """
        while (process := self.processes().get(name)) and process.state == "STOPPING":
            time.sleep(0.05)
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" in fault.faultString:
                return False
            raise LoyaltyError(
                f"{name} could not be started ({fault.faultString}); "
                f"`./loyalty logs {name}` shows why."
            ) from fault
        return True

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:
        """While the body runs a component may be stopped for this process, and no longer; gives
        whether it still stands for one that was killed, so that it has to go on.
        """
        path = self._places.run / _HELD / name
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        was_left = path.exists()
        with in_turn(path):
            try:
                yield was_left
            finally:
                path.unlink(missing_ok=True)

    def release(self) -> list[str]:
        """Start those that were stopped for a process which was killed meanwhile; names them.

        Whoever holds one meanwhile comes after us: it finds it running.
        """
        processes, released = self.processes(), []
        for path in sorted((self._places.run / _HELD).glob("*")):
            process = processes.get(path.name)
            if process is None or process.state == "STOPPING":
                continue
            with suppress(Busy), only_one(path, f"The watcher, which starts {path.name},"):
                if process.state == "STOPPED" and self.start(path.name):
                    released.append(path.name)
                path.unlink(missing_ok=True)
        return released

    def stop(self, name: str) -> None:
        """Stop a component and wait for its end; one that does not run is fine.

        One that has just ended by itself is started again by supervisord at its next look, and one
        that is ending lives: both are waited for. Raises LoyaltyError where that brings no end.
        """
        end = time.monotonic() + STOP_SECONDS.get(name, DEFAULT_STOP_SECONDS) + _ENDED_SECONDS
        while True:
            try:
                self._call("stopProcess", name, True)
            except xmlrpc.client.Fault as fault:
                if "NOT_RUNNING" not in fault.faultString:
                    raise LoyaltyError(
                        f"{name} could not be stopped: {fault.faultString}"
                    ) from fault
            if (process := self.processes().get(name)) is None:
                raise Unavailable(_IS_GONE)
            if process.state in STANDS:
                return
            if time.monotonic() > end:
                raise LoyaltyError(
                    f"{name} does not stand ({process.state}); `./loyalty logs {name}` shows why."
                )
            time.sleep(0.05)
