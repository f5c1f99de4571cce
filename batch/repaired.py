"""`rebuild` from outside: the Spark job, with a repair's pause of the stream around it."""

from typing import Any, Final

from batch.pause import paused
from batch.process import run_job
from cluster.supervision import Supervisor
from hive.session import connect
from hive.tables import Partition, set_location
from pipeline.errors import LoyaltyError
from pipeline.lock import only_one
from pipeline.places import TRANSACTIONS, Places
from pipeline.settings import Settings

DOING: Final = "A `rebuild`"
HIVE_SECONDS: Final = 60


def compare(settings: Settings, arguments: list[str]) -> dict[str, Any]:
    """Run the comparison; nothing is changed, and orders may flow."""
    places = Places(settings.data)
    with only_one(places.run / "rebuild.lock", DOING):
        so_that = "Nothing was changed; call it again."
        return run_job(settings, places, ["rebuild", *arguments], so_that)


def repair(settings: Settings, arguments: list[str]) -> dict[str, Any]:
    """Run the comparison and the repair while the stream stands; then it goes on.

    The result has `hive_shows`: whether Hive shows the new generations already. Raises Refused
    while an `up` or `down` runs: neither may start or stop a second writer meanwhile.
    """
    places = Places(settings.data)
    with (
        only_one(places.run / "rebuild.lock", DOING),
        only_one(places.run / "up.lock", DOING),
        paused(Supervisor(places), "streaming"),
    ):
        so_that = "Each partition is as it was or repaired; call it again."
        result = run_job(settings, places, ["rebuild", "--repair", *arguments], so_that)
    return result | {"hive_shows": _show(settings, result["published"])}


def _show(settings: Settings, folders: list[str]) -> bool:
    """Point Hive at new generations; False where it does not answer: the stream does it later."""
    if not folders:
        return True
    try:
        with connect("127.0.0.1", settings.hiveserver2_port, timeout=HIVE_SECONDS) as session:
            for folder in folders:
                day, hour = (part.partition("=")[2] for part in _partition(folder))
                location = f"{settings.hdfs}{folder}"
                values: Partition = {"odr_dt": day, "odr_hr": int(hour)}
                set_location(session, "transactions_cln", location, values)
    except LoyaltyError:
        return False
    return True


def _partition(folder: str) -> list[str]:
    """Split …/odr_dt=2019-04-05/odr_hr=0/g=2 into its two partition levels."""
    return folder.removeprefix(f"{TRANSACTIONS}/").split("/")[:2]
