"""A stage that stands while its table is repaired, and goes on at the end, whatever happens."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from cluster.supervision import Supervisor

_ALIVE: Final = ("RUNNING", "STARTING", "BACKOFF")
_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@contextmanager
def paused(supervisor: Supervisor, name: str) -> Iterator[bool]:
    """Stop a component while the body runs; tells whether it ran. One that did not stays so.

    SIGTERM, SIGHUP and Ctrl-C end the body like an error, so that the component goes on then too,
    and a second one is ignored meanwhile; after a SIGKILL `up` starts it.
    """
    process = supervisor.processes().get(name)
    ran = process is not None and process.state in _ALIVE
    before = {sign: signal.signal(sign, _end) for sign in _SIGNALS}
    try:
        try:
            if ran:
                supervisor.stop(name)
            yield ran
        finally:
            _ignore()
    finally:
        if ran:
            supervisor.start(name)
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _ignore() -> None:
    for sign in _SIGNALS:
        signal.signal(sign, signal.SIG_IGN)


def _end(number: int, _frame: FrameType | None) -> None:
    # only the first one ends: the next would break off what the first began
    _ignore()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
