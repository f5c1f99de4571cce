"""A real supervisord, with its watcher, that cares for one small process called producer."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from cluster.component import Component
from cluster.restarts import read_restarts
from cluster.supervision import Rotation, Supervisor, write_configuration
from pipeline.places import Places
from pipeline.settings import Settings


@contextmanager
def supervised(
    settings: Settings, command: list[str], start_seconds: int = 5
) -> Iterator[Supervisor]:
    """Start it in a new data folder; start_seconds: from when on a start has succeeded."""
    places = Places(settings.data)
    for folder in (places.run, places.logs, places.order_log):
        folder.mkdir()
    program = Component(name="producer", title="Producer")
    write_configuration(places, {"producer": (program, command, {})}, settings.environment(),
                        Rotation(1, 1))  # fmt: skip
    conf = places.run / "supervisord.conf"
    text = conf.read_text(encoding="utf-8")
    assert "\nstartsecs=5\n" in text
    conf.write_text(text.replace("\nstartsecs=5\n", f"\nstartsecs={start_seconds}\n"))
    running = Supervisor(places)
    running.start_daemon()
    daemon = psutil.Process(running.daemon_pid())
    try:
        yield running
    finally:
        running.stop_daemon()
        daemon.wait(timeout=60)


def pid_of(supervisor: Supervisor) -> int:
    """Give the process's pid; 0 while there is none."""
    return supervisor.processes()["producer"].pid


def restarts(settings: Settings) -> int:
    """Give how many ends were counted."""
    return read_restarts(Places(settings.data)).get("producer", 0)
