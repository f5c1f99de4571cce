"""Supervision with a real supervisord and small real processes."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cluster.component import Component
from cluster.restarts import read_restarts
from cluster.supervision import Supervisor, write_configuration
from cluster.watch import PATIENCE, Watch, is_stopped
from pipeline.places import Places
from pipeline.settings import Settings
from tests.waiting import wait_until


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def supervisor(settings: Settings) -> Iterator[Supervisor]:
    """Start a supervisord that cares for one process which does nothing but live."""
    places = Places(settings.data)
    places.run.mkdir()
    places.logs.mkdir()
    places.order_log.mkdir()
    program = Component(name="producer", title="Producer")
    write_configuration(
        places, {"producer": (program, ["sleep", "1000"], {})}, settings.environment()
    )
    running = Supervisor(places)
    running.start_daemon()
    daemon = psutil.Process(running.daemon_pid())
    yield running
    running.stop_daemon()
    daemon.wait(timeout=20)


def pid_of(supervisor: Supervisor) -> int:
    return supervisor.processes()["producer"].pid


def restarts(settings: Settings) -> int:
    return read_restarts(Places(settings.data).run / "restarts.json").get("producer", 0)


def test_start_and_stop_say_whether_there_was_something_to_do(supervisor: Supervisor) -> None:
    assert supervisor.is_running()
    assert supervisor.start("producer")
    assert not supervisor.start("producer")
    supervisor.stop("producer")
    supervisor.stop("producer")
    assert pid_of(supervisor) == 0


def test_who_dies_is_started_again_and_counted(supervisor: Supervisor, settings: Settings) -> None:
    supervisor.start("producer")
    first = pid_of(supervisor)
    assert restarts(settings) == 0
    os.kill(first, signal.SIGKILL)
    wait_until("another process runs", lambda: pid_of(supervisor) not in {0, first})
    wait_until("the restart is counted", lambda: restarts(settings) == 1)


def test_who_was_asked_to_stop_is_not_counted(supervisor: Supervisor, settings: Settings) -> None:
    supervisor.start("producer")
    supervisor.stop("producer")
    assert restarts(settings) == 0


def test_who_lives_but_does_nothing_is_killed_and_started_again(
    supervisor: Supervisor, settings: Settings
) -> None:
    supervisor.start("producer")
    first = pid_of(supervisor)
    os.kill(first, signal.SIGSTOP)
    wait_until("it stands still", lambda: is_stopped(first))
    watch = Watch(settings, supervisor)
    for _ in range(PATIENCE - 1):
        found = watch.look()["producer"]
        assert found["silent"] > 0
        assert "stopped" in found["reason"]
        assert psutil.pid_exists(first), "not before its patience is over"
    assert "stopped" in watch.look()["producer"]["killed"]
    wait_until("another process runs", lambda: pid_of(supervisor) not in {0, first})
    wait_until("the restart is counted", lambda: restarts(settings) == 1)
    assert watch.look()["producer"]["silent"] == 0


def test_a_reader_at_its_end_or_moving_is_left_alone(settings: Settings) -> None:
    watch = Watch(settings, Supervisor(Places(settings.data)))
    ends = {0: 5, 1: 0}
    rounds = [({}, {0: 0}), ({0: 5}, ends), ({0: 5}, ends), ({0: 5}, {0: 9}), ({0: 7}, {0: 9})]
    for at, end in rounds:
        watch.demand_movement("streaming", {"the query": (at, end)})


def test_a_reader_that_is_behind_and_stays_there_is_silent(settings: Settings) -> None:
    watch = Watch(settings, Supervisor(Places(settings.data)))
    watch.demand_movement("streaming", {"the query": ({0: 5}, {0: 9})})
    with pytest.raises(OSError, match="the query is behind and does not move"):
        watch.demand_movement("streaming", {"the query": ({0: 5}, {0: 12})})
