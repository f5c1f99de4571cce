"""The stop: the order of the start backwards, and nothing but our own processes."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psutil

from cluster.boot import forget_boot
from cluster.java import MARK
from cluster.stack import Stack
from cluster.supervision import DEFAULT_STOP_SECONDS, STOP_SECONDS
from pipeline.errors import LoyaltyError

ORDER: Final[tuple[tuple[str, ...], ...]] = (
    ("producer", "refresh"),
    ("flume", "streaming"),
    ("hiveserver2", "thrift"),
    ("metastore", "hbase"),
    ("kafka", "datanode"),
    ("namenode",),
)
DEAF_SECONDS: Final = 120
"""How long a supervisord without a socket may take to stop its components."""


def stop_all(stack: Stack, stopped: Callable[[str], None]) -> tuple[int, list[str]]:
    """Stop every component, then supervisord.

    Gives how many ran, and the names of those that had to be killed. Processes of the
    components are remembered before, so that none of their children outlives this.
    """
    supervisor = stack.supervisor
    if not supervisor.is_running():
        return end_orphans(stack)  # not in order: after a power cut the next start has to know
    alive = {p.name: p for p in supervisor.processes().values() if p.pid or p.state == "BACKOFF"}
    families = {name: _family(process.pid) for name, process in alive.items()}
    killed = []
    for group in ORDER:
        for name in group:
            if name in alive:
                begun = time.monotonic()
                supervisor.stop(name)
                if _was_killed(name, stack, begun):
                    killed.append(name)
                stopped(stack.components[name].title)
    daemon = psutil.Process(supervisor.daemon_pid())
    supervisor.stop_daemon()
    try:
        daemon.wait(timeout=60)
    except psutil.TimeoutExpired as error:
        raise LoyaltyError(
            f"supervisord (process {daemon.pid}) does not end; "
            f"see {stack.places.logs / 'supervisord.log'}, then try `./loyalty down` again."
        ) from error
    for name, family in families.items():
        killed += [f"{name} (process {pid})" for pid in _end(family, patience=5)]
    if not killed:
        forget_boot(stack.places)
    return len(alive), killed


def end_orphans(stack: Stack) -> tuple[int, list[str]]:
    """End what runs of this data folder where no supervisord answers: one that was killed has left
    it, or one that lives has lost its socket, and would start everything again.

    Gives how many there were, and those that had to be killed. Two agents or two streams on one
    data folder would write twice.
    """
    mine = find_orphans(stack)
    daemons = [] if stack.supervisor.is_running() else _deaf(stack)
    for daemon in daemons:
        with suppress(psutil.NoSuchProcess):
            daemon.terminate()  # it stops its components first
    _end(daemons, patience=DEAF_SECONDS)
    for process in mine:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    return len(mine), [f"process {pid}" for pid in _end(mine, patience=20)]


def find_orphans(stack: Stack) -> list[psutil.Process]:
    """Give the processes of a data folder's components, when no supervisord cares for them."""
    if stack.supervisor.is_running():
        return []
    return [p for p in psutil.process_iter() if _stack_of(p) == str(stack.settings.data)]


def _deaf(stack: Stack) -> list[psutil.Process]:
    """Give the supervisords of a data folder."""
    conf, found = str(stack.places.run / "supervisord.conf"), []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            words = process.cmdline()
            if conf in words and "supervisor.supervisord" in words:
                found.append(process)
    return found


def _stack_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def _end(processes: list[psutil.Process], patience: float) -> list[int]:
    """Wait for the end of processes and kill those that are left; gives their pids."""
    _gone, left = psutil.wait_procs(processes, timeout=patience)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=5)
    return [process.pid for process in left]


def _family(pid: int) -> list[psutil.Process]:
    if not pid:
        return []
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _was_killed(name: str, stack: Stack, begun: float) -> bool:
    """Tell whether the end took as long as supervisord's patience before its SIGKILL."""
    log = stack.places.logs / "supervisord.log"
    tail = log.read_text(encoding="utf-8", errors="replace")[-4000:]
    patience = STOP_SECONDS.get(name, DEFAULT_STOP_SECONDS)
    return time.monotonic() - begun >= patience and f"killing '{name}'" in tail
