"""Signals that end a piece of work like an error, once: what it began is put right in peace."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@contextmanager
def ends_once() -> Iterator[Callable[[], None]]:
    """Let Ctrl-C, SIGTERM and SIGHUP end the body like an error, and ignore a second one.

    Gives a function that ignores the first one too, from then to the end of the body.
    """
    before = {sign: signal.signal(sign, _end) for sign in _SIGNALS}
    try:
        yield _ignore
    finally:
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
