"""One run of the schedule."""

import logging
from contextlib import suppress
from typing import Literal, cast

from hive.refresh import refresh
from pipeline.errors import Unavailable, UsageError
from pipeline.places import CUSTOMERS, Places
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs

log = logging.getLogger(__name__)


def keep(settings: Settings, places: Places, reason: str) -> None:
    """Make today's snapshot and restate others, where something is new; quiet without customers.

    Raises what `refresh` raises, Busy while another one runs.
    """
    if reason not in {"scheduled", "nightly"}:
        raise UsageError(f"{reason!r} is no reason of the schedule: scheduled or nightly.")
    with suppress(Unavailable):  # the refresh finds that too, and records it
        if not Hdfs(settings.webhdfs, user="hive").names(CUSTOMERS):
            return
    made = refresh(settings, places, reason=cast("Literal['scheduled', 'nightly']", reason))
    for one in made:
        log.info("%s: %s customers, %.1f s", one.data_dt, f"{one.rows:,}", one.seconds)
