"""A pause with a real supervisord: what was stopped goes on, however the body ends."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from batch.pause import paused
from cluster.component import Component
from cluster.supervision import Rotation, Supervisor, write_configuration
from pipeline.places import Places
from pipeline.settings import Settings

NAME = "streaming"


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """Start a supervisord that cares for one process which does nothing but live."""
    places = Places(tmp_path)
    places.run.mkdir()
    places.logs.mkdir()
    program = Component(name=NAME, title="Stream")
    settings = Settings(data=tmp_path).environment()
    write_configuration(places, {NAME: (program, ["sleep", "1000"], {})}, settings, Rotation(1, 1))
    running = Supervisor(places)
    running.start_daemon()
    daemon = psutil.Process(running.daemon_pid())
    yield running
    running.stop_daemon()
    daemon.wait(timeout=20)


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
