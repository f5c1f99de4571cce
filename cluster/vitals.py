"""What the machine says of a process: stopped or not, its age; and how busy the machine is."""

import os
import time
from contextlib import suppress
from typing import Final

import psutil

from cluster.patient import stretch

STARTING_LOAD: Final = 1
"""Processes that want to run for each processor, up to which starts are quick."""

STOPPED: Final = "its process is stopped by a signal"
"""What is said of one that cannot answer for that."""


def is_stopped(pid: int) -> bool:
    """Tell whether a process or a child of it, as the stream's JVM is, is stopped by a signal
    (state T): it can answer nothing.
    """
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return any(one.status() == psutil.STATUS_STOPPED for one in family)
    except psutil.NoSuchProcess:
        return False


def kill(pid: int) -> None:
    """End a process and its children at once; a stopped child would not notice its parent's end."""
    with suppress(psutil.NoSuchProcess):  # it has just ended by itself
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                one.kill()


def age(pid: int) -> float:
    """Give a process's age in seconds, those of a busy machine for less: all starts are slow."""
    try:
        seconds = time.time() - psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0
    return seconds / stretch(load(), STARTING_LOAD)


def load() -> float:
    """Give how many processes want to run for each processor, over the last minute."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)
