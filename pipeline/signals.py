"""Signals that end a piece of work like an error, once: what it began is put right in peace."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_AGAIN_SECONDS: Final = 0.05


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


def hear_again() -> None:
    """From now on let no signal get lost that arrives where Python can raise nothing.

    (In a callback of a weak reference or a finalizer, those of an import included, it prints
    "Exception ignored" and goes on.) It is sent to this process once more a moment later.
    """
    sys.unraisablehook = _send_again


def _send_again(said: "sys.UnraisableHookArgs") -> None:
    number = _number_of(said.exc_value)
    if number is None:
        sys.__unraisablehook__(said)
        return
    if signal.getsignal(number) == signal.SIG_IGN:  # by _end, which was in vain
        signal.signal(number, _end)
    again = threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _number_of(error: BaseException | None) -> int | None:
    if isinstance(error, KeyboardInterrupt):
        return signal.SIGINT
    if isinstance(error, SystemExit) and isinstance(error.code, int):
        return next((sign for sign in _SIGNALS if 128 + sign == error.code), None)
    return None
