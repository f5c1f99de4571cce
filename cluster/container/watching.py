"""The container of the command line: it looks at all the others, and remembers for `status`."""

import shutil
import signal
import sys
import threading
from functools import partial
from typing import Final, NoReturn

from cluster.container.care import STAGES, Containers, Marks
from cluster.container.signs import say_answered, say_looks
from cluster.given import QUESTIONS
from cluster.rounds import keep_watch
from cluster.sampling import Sampler
from cluster.stack import Stack
from cluster.startup import NOT_READY
from cluster.watch import EVERY_SECONDS, Watch
from pipeline.places import Places

_FOREVER: Final = threading.Event()


def watch(stack: Stack) -> NoReturn:
    """Look at everybody until told to end; kills nobody, each container's main process does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # files of commands whose terminal went away with them
    shutil.rmtree(stack.places.data / "incoming", ignore_errors=True)
    watch = Watch(stack.settings, Containers(stack.places), given=stack.components)
    for name in STAGES:
        watch.also(name, partial(_demand_life, stack.places, name))

    def seen() -> None:
        say_looks()
        say_answered()

    keep_watch(stack.settings, watch, Sampler(stack.settings), seen)


def _demand_life(places: Places, name: str) -> None:
    Marks(places, name).demand_life()


def idle(stack: Stack, name: str) -> NoReturn:
    """Stand for a component that is given, and ask that one; or for one that nobody wants."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    field = stack.components[name].given
    while True:
        say_looks()
        try:
            if field:
                QUESTIONS[field](stack.settings)
            say_answered()
        except NOT_READY as error:
            sys.stderr.write(f"{name} is given, and does not answer: {error}\n")
        if name in STAGES:
            Marks(stack.places, name).lives.touch()
        _FOREVER.wait(EVERY_SECONDS)
