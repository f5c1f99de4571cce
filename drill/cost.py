"""What a stack's processes cost: CPU of each component, its children with it, and memory."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import psutil

from drill.stack import OwnStack

EVERY_SECONDS: Final = 5
CARE: Final = "supervision"
"""What is no component's: supervisord and the watcher."""

ALL: Final = "all"
"""The row of all together."""


@dataclass(frozen=True, slots=True)
class Cost:
    """cores: CPU seconds a second. mib: resident memory at the end."""

    cores: float
    mib: float


class Meter:
    """Adds up what each process of a stack has used since `begin`; `look` every few seconds.

    What a component's process used after the last look before its end is missing; of those that it
    has started and waited for, nothing is.
    """

    def __init__(self, stack: OwnStack) -> None:
        self._stack = stack
        self._owners: dict[psutil.Process, str] = {}
        self._first: dict[psutil.Process, float] = {}
        self._last: dict[psutil.Process, float] = {}
        self._mib: dict[psutil.Process, float] = {}
        """Of those that lived at the last look."""
        self._below: set[psutil.Process] = set()
        """Who was started by a component's process."""
        self._begun = 0.0
        self.begin()

    def begin(self) -> None:
        """Begin anew."""
        self._first, self._last = {}, {}
        self._begun = time.monotonic()
        self.look()
        self._first = dict(self._last)

    def look(self) -> None:
        """Read what every process has used by now."""
        daemon = psutil.Process(self._stack.supervisor.daemon_pid())
        names = {one.pid: name for name, one in self._stack.supervisor.processes().items()}
        owners = {daemon: CARE}
        for child in daemon.children():
            name = names.get(child.pid, CARE)
            with suppress(psutil.NoSuchProcess):
                below = child.children(recursive=True)
                owners |= dict.fromkeys([child, *below], name)
                self._below |= set(below)
        self._mib = {}
        for process in owners:
            with suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                self._last[process] = used.user + used.system
                if process != daemon:  # it waits for components, which are counted each
                    self._last[process] += used.children_user + used.children_system
                self._mib[process] = process.memory_info().rss / 2**20
        self._owners |= owners

    def costs(self) -> dict[str, Cost]:
        """Give what each component has cost since the beginning."""
        self.look()
        seconds = time.monotonic() - self._begun
        used: dict[str, float] = {}
        mib: dict[str, float] = {}
        for process, total in self._last.items():
            name = self._owners[process]
            # what such a one used, who waited for it has now
            counted = 0 if process in self._below and process not in self._mib else total
            used[name] = used.get(name, 0) + counted - self._first.get(process, 0)
            mib[name] = mib.get(name, 0) + self._mib.get(process, 0)
        return {name: Cost(used[name] / seconds, mib[name]) for name in used}

    def watch(self, seconds: float, do: Callable[[], None] | None = None) -> dict[str, Cost]:
        """Begin anew, look every five seconds for so long, and give the costs.

        do: is done at each look too.
        """
        self.begin()
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(EVERY_SECONDS, left))
            self.look()
            if do:
                do()
        return self.costs()


def total(costs: dict[str, Cost]) -> Cost:
    """Give the cost of all components together."""
    return Cost(sum(one.cores for one in costs.values()), sum(one.mib for one in costs.values()))
