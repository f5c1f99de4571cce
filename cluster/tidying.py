"""What the watcher removes now and then: whatever is over, by the settings of its retention."""

import time

from cluster.leftovers import remove_leftovers
from cluster.telling import tell
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.programme import calendar, read_programme
from pipeline.settings import Settings
from pipeline.webhdfs import superuser_of
from producer.log import now_ms
from producer.sweep import sweep


def sweep_order_log(settings: Settings) -> None:
    """Delete the order log files that were read and whose retention is over, if we may."""
    places, days = Places(settings.data), settings.log_retention_days
    try:
        for path in sweep(places.order_log, places.positions, days, now_ms()):
            tell(f"{path.name} is deleted: it was read, and its retention is over")
    except OSError as error:
        tell(f"order log files whose retention is over stay for now: {error}")


def tidy(settings: Settings) -> None:
    """Remove what else is over; where HDFS is away it stays until the next time."""
    hdfs = superuser_of(settings, timeout=10)
    try:
        today = calendar(read_programme(settings.programme)).today()
        for what in remove_leftovers(settings, hdfs, time.time(), today):
            tell(what)
    except (LoyaltyError, OSError) as error:
        tell(f"what is over stays for now: {error}")
