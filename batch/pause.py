"""A stage that stands while its table is repaired, and goes on at the end, whatever happens."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from cluster.supervision import Supervisor

_ALIVE: Final = ("RUNNING", "STARTING", "BACKOFF")


@contextmanager
def paused(supervisor: Supervisor, name: str) -> Iterator[bool]:
    """Stop a component while the body runs; tells whether it ran. One that did not stays so.

    SIGTERM and SIGHUP end the body like an error, so that the component goes on then too; after a
    SIGKILL `up` starts it.
    """
    process = supervisor.processes().get(name)
    ran = process is not None and process.state in _ALIVE
    before = {sign: signal.signal(sign, _end) for sign in (signal.SIGTERM, signal.SIGHUP)}
    try:
        if ran:
            supervisor.stop(name)
        yield ran
    finally:
        if ran:
            supervisor.start(name)
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
