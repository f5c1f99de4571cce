"""A pause with a real supervisord: what was stopped goes on, however the body ends."""

import os
import signal
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from batch.pause import paused
from cluster.component import Component
from cluster.supervision import Process, Rotation, Supervisor, write_configuration
from pipeline.errors import Refused
from pipeline.places import Places
from pipeline.settings import Settings
from tests.waiting import wait_until

NAME = "streaming"


SLOW_TO_END = (
    "import signal, sys, time; from pathlib import Path\n"
    "def end(*_): Path(sys.argv[1]).touch(); time.sleep(1.5); sys.exit()\n"
    "signal.signal(signal.SIGTERM, end)\n"
    "while True: time.sleep(0.05)"
)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """Start a supervisord that cares for one process which does nothing but live."""
    with caring(tmp_path, ["sleep", "1000"]) as running:
        yield running


@contextmanager
def caring(folder: Path, command: list[str]) -> Iterator[Supervisor]:
    places = Places(folder)
    places.run.mkdir()
    places.logs.mkdir()
    program = Component(name=NAME, title="Stream")
    settings = Settings(data=folder).environment()
    write_configuration(places, {NAME: (program, command, {})}, settings, Rotation(1, 1))
    running = Supervisor(places)
    running.start_daemon()
    daemon = psutil.Process(running.daemon_pid())
    yield running
    running.stop_daemon()
    daemon.wait(timeout=60)


def pid(supervisor: Supervisor) -> int:
    """Give the process's pid, 0 without one; a new one has become what it shall be by then.

    Between its fork and that it loses a SIGTERM.
    """
    found = supervisor.processes()[NAME].pid
    end = time.monotonic() + 10
    while found and psutil.Process(found).name() != "sleep":
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


def test_a_signal_amid_the_stop_leaves_it_running(tmp_path: Path) -> None:
    """It is only just stopping when it shall go on."""
    asked, script = tmp_path / "asked-to-end", tmp_path / "slow.py"
    script.write_text(SLOW_TO_END)
    with caring(tmp_path, [sys.executable, str(script), str(asked)]) as supervisor:
        supervisor.start(NAME)
        wait_until("it runs", lambda: supervisor.processes()[NAME].state == "RUNNING")
        before = supervisor.processes()[NAME].pid

        def interrupt() -> None:
            wait_until("it is stopping", asked.exists)
            os.kill(os.getpid(), signal.SIGINT)

        Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt), paused(supervisor, NAME):
            pytest.fail("the body is not reached")
        wait_until("another one runs", lambda: supervisor.processes()[NAME].pid not in {0, before})


def _ends_well() -> None:
    return


def _fails() -> None:
    raise ValueError("the job broke")


def _is_ended() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    signal.sigtimedwait([], 5)  # not reached: the signal ends this


@pytest.mark.parametrize(
    ("body", "error"), [(_ends_well, None), (_fails, ValueError), (_is_ended, SystemExit)]
)
def test_it_stands_meanwhile_and_goes_on_whatever_happens(
    supervisor: Supervisor, body: Callable[[], None], error: type[BaseException] | None
) -> None:
    supervisor.start(NAME)
    before, handler = pid(supervisor), signal.getsignal(signal.SIGTERM)
    raised: type[BaseException] | None = None
    try:
        with paused(supervisor, NAME) as ran:
            assert ran
            assert pid(supervisor) == 0
            body()
    except (ValueError, SystemExit) as ended:
        raised = type(ended)
    assert raised is error
    assert pid(supervisor) not in {0, before}
    assert signal.getsignal(signal.SIGTERM) == handler


class Hit(Supervisor):
    """One whose command gets another SIGTERM just before it starts something."""

    def start(self, name: str) -> bool:
        """Start it after the signal."""
        os.kill(os.getpid(), signal.SIGTERM)
        return super().start(name)


@pytest.mark.parametrize("body", [_ends_well, _is_ended])
def test_another_signal_does_not_break_the_start_off(
    supervisor: Supervisor, tmp_path: Path, body: Callable[[], None]
) -> None:
    supervisor.start(NAME)
    before = pid(supervisor)
    with suppress(SystemExit), paused(Hit(Places(tmp_path)), NAME):
        body()
    assert pid(supervisor) not in {0, before}


def test_what_did_not_run_stays_so(supervisor: Supervisor) -> None:
    with paused(supervisor, NAME) as ran:
        assert not ran
    assert pid(supervisor) == 0


class Between(Supervisor):
    """One that looks between the end of its process and the start of the next one."""

    looks = 2

    def processes(self) -> dict[str, Process]:
        """Show the process as supervisord does for the part of a second between the two."""
        self.looks -= 1
        found = super().processes()
        return (
            found | {NAME: replace(found[NAME], state="EXITED", pid=0)}
            if self.looks >= 0
            else found
        )

    def _call(self, method: str, *arguments: Any) -> Any:
        if method == "stopProcess" and self.looks > 0:
            raise xmlrpc.client.Fault(70, f"NOT_RUNNING: {NAME}")
        return super()._call(method, *arguments)


def test_what_has_just_ended_by_itself_is_not_running_meanwhile(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    """supervisord starts it again at its next look, which is within a second."""
    supervisor.start(NAME)
    before = pid(supervisor)
    with paused(Between(Places(tmp_path)), NAME) as ran:
        assert ran
        assert pid(supervisor) == 0
    assert pid(supervisor) not in {0, before}


def test_what_stands_for_a_command_that_was_killed_goes_on(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    """The watcher does not start it amid the next command's work."""
    held = Places(tmp_path).run / "held" / NAME
    held.parent.mkdir()
    held.touch()
    with paused(supervisor, NAME) as ran:
        assert ran
        assert supervisor.release() == []
        assert pid(supervisor) == 0
    assert pid(supervisor) > 0
    assert not held.exists()


def test_without_a_supervisord_nothing_is_done(tmp_path: Path) -> None:
    """What a killed one has left behind runs on."""
    with pytest.raises(Refused, match=r"Nobody looks after streaming.*`./loyalty up` first"):  # noqa: SIM117
        with paused(Supervisor(Places(tmp_path)), NAME):
            pytest.fail("the body is not reached")
