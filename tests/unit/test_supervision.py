"""Supervision with a real supervisord and small real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cluster.findings import (
    MOST_AGE_SECONDS,
    Findings,
    blindness,
    read_findings,
    read_reasons,
    write_findings,
)
from cluster.movement import Reader
from cluster.shutdown import end_orphans
from cluster.stack import Stack
from cluster.supervision import Supervisor, socket_path
from cluster.vitals import is_stopped, kill
from cluster.watch import Watch
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.settings import ROOT, Settings
from producer.heartbeat import heartbeat_file
from tests.unit.supervised import pid_of, restarts, supervised
from tests.waiting import wait_until


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def supervisor(settings: Settings) -> Iterator[Supervisor]:
    """Start a supervisord that cares for one process which does nothing but live."""
    with supervised(settings, ["sleep", "1000"]) as running:
        yield running


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
    places = Places(settings.data)
    supervisor.start("producer")
    first = pid_of(supervisor)
    os.kill(first, signal.SIGSTOP)
    wait_until("it stands still", lambda: is_stopped(first))
    watch = Watch(settings, supervisor)
    found = watch.look()["producer"]
    assert (found["silent"], found["kills"], found["stuck"]) == (1, 0, True)
    assert "stopped" in found["reason"]
    assert psutil.pid_exists(first), "not at the first question"
    assert watch.look()["producer"]["kills"] == 1
    assert watch.killed == {"producer": ""}, "whoever counts its end knows whose it was"
    wait_until("another process runs", lambda: pid_of(supervisor) not in {0, first})
    wait_until("the restart is counted", lambda: restarts(settings) == 1)

    heartbeat_file(places).parent.mkdir(exist_ok=True)
    heartbeat_file(places).touch()
    found = watch.look()["producer"]
    assert (found["silent"], found["reason"], found["stuck"]) == (0, "", False)
    ours = Findings(7, watch.look())

    def told_last() -> bool:
        with suppress(FileNotFoundError):  # supervisord's own watcher writes it, too
            write_findings(places, ours)
        return read_findings(places) == ours

    wait_until("ours are told", told_last)
    told = read_reasons(places, read_findings(places))["producer"]
    assert told.startswith("was killed by the watcher once at 20")
    assert ": its process is stopped by a signal" in told
    # a watcher that was started again goes on with what the one before has counted
    assert Watch(settings, supervisor).look()["producer"]["kills"] == 1


def test_a_supervisord_without_its_socket_is_ended_with_what_it_cares_for(
    supervisor: Supervisor, settings: Settings
) -> None:
    supervisor.start("producer")
    processes = [psutil.Process(supervisor.daemon_pid()), psutil.Process(pid_of(supervisor))]
    socket_path(Places(settings.data)).unlink()
    end_orphans(Stack(settings, read_programme(settings.programme)))
    assert all(is_gone(process) for process in processes)
    supervisor.start_daemon()
    assert supervisor.is_running()


PAUSES = """
import sys, time
from pathlib import Path
from batch.pause import paused
from cluster.supervision import Supervisor
from pipeline.places import Places
with paused(Supervisor(Places(Path(sys.argv[1]))), "producer"):
    print("paused", flush=True)
    time.sleep(100)
"""


def test_who_was_paused_by_a_command_that_is_killed_goes_on(
    supervisor: Supervisor, settings: Settings
) -> None:
    supervisor.start("producer")
    command = [sys.executable, "-c", PAUSES, str(settings.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as pausing:
        assert pausing.stdout is not None
        assert pausing.stdout.readline() == b"paused\n"
        assert supervisor.release() == [], "while the command lives it stands"
        assert pid_of(supervisor) == 0
        pausing.kill()
    wait_until("the watcher has let it go on", lambda: pid_of(supervisor) > 0)
    supervisor.stop("producer")
    assert supervisor.release() == [], "who is stopped for good stays so"


def test_a_stopped_child_counts_and_goes_with_its_parent() -> None:
    nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", nested], stdin=subprocess.PIPE) as parent:
        family = psutil.Process(parent.pid)
        wait_until("the child runs", lambda: len(family.children()) == 1)
        (child,) = family.children()
        assert not is_stopped(parent.pid)
        child.suspend()
        wait_until("the child stands still", lambda: is_stopped(parent.pid))
        kill(parent.pid)
        wait_until("both are gone", lambda: is_gone(child) and parent.poll() is not None)


def is_gone(process: psutil.Process) -> bool:
    """Tell whether a process has ended, waited for by its parent or not."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_who_was_asked_to_stop_is_not_judged(
    supervisor: Supervisor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.start("producer")
    process = replace(supervisor.processes()["producer"], state="STOPPING")
    monkeypatch.setattr(supervisor, "processes", lambda: {"producer": process})
    assert Watch(settings, supervisor).look() == {}


def test_before_the_first_round_there_is_nothing_to_tell(settings: Settings) -> None:
    places = Places(settings.data)
    assert read_findings(places) == Findings()
    assert read_reasons(places, Findings()) == {}
    places.run.mkdir()
    for torn in (b"", b"{", b"{}", b'{"hbase": {}}'):
        (places.run / "health.json").write_bytes(torn)
        assert read_findings(places) == Findings()


def test_a_watcher_that_looks_no_more_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cluster.findings.load", lambda: 1)
    now = 1e9
    assert blindness(Findings(now - MOST_AGE_SECONDS), now) == ""
    assert "has not looked for 61 s" in blindness(Findings(now - MOST_AGE_SECONDS - 1), now)
    assert "has not looked yet" in blindness(Findings(), now)
    monkeypatch.setattr("cluster.findings.load", lambda: 8)
    assert blindness(Findings(now - 2 * MOST_AGE_SECONDS), now) == ""


def test_a_reader_at_its_end_or_moving_is_left_alone(settings: Settings) -> None:
    watch = Watch(settings, Supervisor(Places(settings.data)))
    ends = {0: 5, 1: 0}
    rounds = [({}, {0: 0}), ({0: 5}, ends), ({0: 5}, ends), ({0: 5}, {0: 9}), ({0: 7}, {0: 9})]
    for at, end in rounds:
        watch.demand_movement("streaming", {"the query": Reader(at, end)})
    with pytest.raises(OSError, match="does not move"):
        watch.demand_movement("streaming", {"the query": Reader({0: 7}, {0: 9})})


def test_a_reader_that_is_behind_and_stays_there_is_silent(settings: Settings) -> None:
    watch = Watch(settings, Supervisor(Places(settings.data)))
    watch.demand_movement("streaming", {"the query": Reader({0: 5}, {0: 9})})
    with pytest.raises(OSError, match="the query is behind and does not move"):
        watch.demand_movement("streaming", {"the query": Reader({0: 5}, {0: 12})})


def test_a_stream_that_merges_is_at_work_although_it_reads_no_further(settings: Settings) -> None:
    watch = Watch(settings, Supervisor(Places(settings.data)))
    for worked_at in (1, 2, 3):
        watch.demand_movement("streaming", {"the query": Reader({0: 5}, {0: 9}, worked_at)})
    with pytest.raises(OSError, match="the query is behind and does not move"):
        watch.demand_movement("streaming", {"the query": Reader({0: 5}, {0: 9}, 3)})
