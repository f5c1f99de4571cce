"""One round of the watcher after another, and what is done now and then between them."""

import math
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, NoReturn

from cluster.findings import Findings, write_findings
from cluster.sampling import Sampler
from cluster.tidying import sweep_order_log, tidy
from cluster.watch import DOUBT_SECONDS, EVERY_SECONDS, Watch
from flume.kept import keep_positions
from flume.unclosed import Unclosed
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.settings import Settings

SWEEP_SECONDS: Final = 600
"""How often order log files that nobody needs are looked for."""
TIDY_SECONDS: Final = 3600
"""How often other things are looked for whose retention is over."""


def keep_watch(
    settings: Settings, watch: Watch, sampler: Sampler, seen: Callable[[], None] = lambda: None
) -> NoReturn:
    """Look for ever, and tell what is found; `seen` is called after each round."""
    places = Places(settings.data)
    pause = threading.Event()  # never set: its wait is the pause between two rounds
    swept = tidied = -math.inf
    watch.keep_an_eye_on_room()
    watch.also("flume", Unclosed(settings, watch.supervisor).demand)
    watch.also("flume", partial(keep_positions, places))
    while True:
        begun = time.monotonic()
        with suppress(LoyaltyError, OSError):  # supervisord ends
            for name in watch.supervisor.release():
                sys.stderr.write(f"{name} goes on: the command that had stopped it was killed\n")
        health = watch.look()
        with suppress(OSError):  # no room: what it told last gets old
            write_findings(places, Findings(time.time(), health, watch.short))
        sampler.take(watch.readers, watch.answering())
        seen()
        if begun - swept >= SWEEP_SECONDS:
            sweep_order_log(settings)
            swept = begun
        if begun - tidied >= TIDY_SECONDS:
            tidy(settings)
            tidied = begun
        pace = DOUBT_SECONDS if watch.is_in_doubt() else EVERY_SECONDS
        pause.wait(max(0, begun + pace - time.monotonic()))
