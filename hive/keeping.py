"""One run of the schedule."""

import logging
from contextlib import suppress
from typing import Literal, cast

from hive.refresh import NoCustomers, refresh
from pipeline.errors import UsageError
from pipeline.places import Places
from pipeline.settings import Settings

log = logging.getLogger(__name__)


def keep(settings: Settings, places: Places, reason: str) -> None:
    """Make today's snapshot and restate others, where something is new; quiet without customers.

    Raises what `refresh` raises, Busy while another one runs.
    """
    if reason not in {"scheduled", "nightly"}:
        raise UsageError(f"{reason!r} is no reason of the schedule: scheduled or nightly.")
    with suppress(NoCustomers):
        made = refresh(settings, places, reason=cast("Literal['scheduled', 'nightly']", reason))
        for one in made:
            log.info("%s: %s customers, %.1f s", one.data_dt, f"{one.rows:,}", one.seconds)
