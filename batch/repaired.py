"""`rebuild` from outside: the Spark job, with a repair's pause of the stream around it."""

from collections.abc import Callable
from typing import Any, Final

from batch.pause import paused
from batch.process import run_job
from cluster.container.care import care_of
from hive.generations import GenerationTable
from hive.session import connect
from pipeline.errors import LoyaltyError
from pipeline.lock import only_one
from pipeline.places import RAW, TRANSACTIONS, Places
from pipeline.progress import Begin, begin_unseen
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs

DOING: Final = "A `rebuild`"
HIVE_SECONDS: Final = 60


def compare(
    settings: Settings, arguments: list[str], begin: Begin = begin_unseen
) -> dict[str, Any]:
    """Run the comparison; nothing is changed, and orders may flow."""
    places = Places(settings.data)
    _ask_hdfs(settings)
    with only_one(places.run / "rebuild.lock", DOING):
        so_that = "Nothing was changed; call it again."
        return run_job(settings, places, ["rebuild", *arguments], so_that, begin=begin)


def repair(
    settings: Settings,
    arguments: list[str],
    told: Callable[[str], None],
    begin: Begin = begin_unseen,
) -> dict[str, Any]:
    """Run the comparison and the repair while the stream stands; then it goes on.

    `told` is given what there is to be waited for. The result has `hive_shows`: whether Hive shows
    the new generations already; it is ok where nothing is left of what was found. Raises Refused
    while an `up` or `down` runs: neither may start or stop a second writer meanwhile.
    """
    places = Places(settings.data)
    _ask_hdfs(settings)
    with (
        only_one(places.run / "rebuild.lock", DOING),
        only_one(places.run / "up.lock", DOING),
        paused(care_of(settings), "streaming"),
    ):
        so_that = "Each partition is as it was or repaired; call it again."
        result = run_job(
            settings, places, ["rebuild", "--repair", *arguments], so_that, told, begin=begin
        )
    return result | {
        "ok": not result["kept"],
        "hive_shows": _show(settings, result["published"]),
    }


def _ask_hdfs(settings: Settings) -> None:
    """Raise Unavailable where the stack is down, before Spark is started for it."""
    Hdfs(settings.webhdfs, user="spark").exists(RAW)


def _show(settings: Settings, folders: list[str]) -> bool:
    """Point Hive at new generations; False where it does not answer: the stream does it later."""
    if not folders:
        return True
    hdfs = Hdfs(settings.webhdfs, user="spark")
    grace = settings.grace_seconds
    table = GenerationTable(hdfs, settings.hdfs, "transactions_cln", TRANSACTIONS, grace)
    try:
        with connect(*settings.hive, timeout=HIVE_SECONDS) as session:
            for folder in folders:
                table.show(session, folder.removeprefix(f"{TRANSACTIONS}/").rpartition("/")[0])
    except LoyaltyError:
        return False
    return True
