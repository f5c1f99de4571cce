"""What ends again and again is started ever later, and never not at all."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from supervisor import events
from supervisor.states import ProcessStates

from cluster.backoff import FREE_ENDS, MOST_SECONDS, make_interface, pause_seconds
from pipeline.settings import Settings
from tests.unit.supervised import pid_of, restarts, supervised
from tests.waiting import wait_until


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def subscribed() -> Iterator[None]:
    """Leave nobody of this test subscribed to supervisord's events."""
    yield
    events.clear()


def test_the_first_ends_cost_nothing_and_each_more_doubles_the_wait() -> None:
    assert [pause_seconds(ends) for ends in (1, FREE_ENDS)] == [0, 0]
    assert [pause_seconds(FREE_ENDS + more) for more in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert pause_seconds(1000) == MOST_SECONDS


def test_who_ends_again_and_again_is_started_after_a_pause(settings: Settings) -> None:
    with supervised(settings, ["sleep", "1000"], start_seconds=0) as supervisor:
        supervisor.start("producer")
        states = []
        for _ in range(FREE_ENDS + 2):
            pid = pid_of(supervisor)
            seen: set[str] = set()
            os.kill(pid, signal.SIGKILL)

            def is_another(pid: int = pid, seen: set[str] = seen) -> bool:
                process = supervisor.processes()["producer"]
                seen.add(process.state)
                return process.pid not in {0, pid}

            wait_until("another process runs", is_another)
            states.append("BACKOFF" in seen)
        assert states[:FREE_ENDS] == [False] * FREE_ENDS
        assert any(states[FREE_ENDS:])
        wait_until("each end is counted", lambda: restarts(settings) == FREE_ENDS + 2)
        os.kill(pid_of(supervisor), signal.SIGKILL)
        wait_until("it pauses", lambda: supervisor.processes()["producer"].state == "BACKOFF")
        supervisor.stop("producer")
        assert supervisor.processes()["producer"].state == "STOPPED", "`down` need not wait"


def test_who_ends_ten_times_in_an_hour_is_not_slowed_down(
    subscribed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=0)
    made_up = SimpleNamespace(monotonic=lambda: clock.now, time=lambda: clock.now + 1e9)
    monkeypatch.setattr("cluster.backoff.time", made_up)
    make_interface(None)
    _, slow_down = events.callbacks[-1]
    process = SimpleNamespace(config=SimpleNamespace(name="hbase"), state=ProcessStates.EXITED)
    for clock.now in range(0, 3600, 360):
        slow_down(SimpleNamespace(process=process))
        assert process.state == ProcessStates.EXITED
    for _ in range(FREE_ENDS):
        slow_down(SimpleNamespace(process=process))
    assert process.state == ProcessStates.BACKOFF
    assert process.delay > clock.now + 1e9
