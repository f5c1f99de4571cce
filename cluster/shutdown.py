"""The stop: the order of the start backwards, and nothing but our own processes."""

import time
from collections.abc import Callable
from typing import Final

import psutil

from cluster.stack import Stack
from cluster.supervision import DEFAULT_STOP_SECONDS, STOP_SECONDS

ORDER: Final = (
    ("producer",),
    ("flume", "streaming"),
    ("hiveserver2", "thrift"),
    ("metastore", "hbase"),
    ("kafka", "datanode"),
    ("namenode",),
)


def stop_all(stack: Stack, stopped: Callable[[str], None]) -> tuple[int, list[str]]:
    """Stop every component, then supervisord.

    Gives how many ran, and the names of those that had to be killed. Processes of the
    components are remembered before, so that none of their children outlives this.
    """
    supervisor = stack.supervisor
    alive = {p.name: p for p in supervisor.processes().values() if p.pid or p.state == "BACKOFF"}
    if not supervisor.is_running():
        return 0, []
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
    daemon.wait(timeout=20)
    for name, family in families.items():
        _gone, left = psutil.wait_procs(family, timeout=5)
        for process in left:
            process.kill()
            killed.append(f"{name} (process {process.pid})")
        psutil.wait_procs(left, timeout=5)
    return len(alive), killed


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
