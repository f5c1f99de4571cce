"""`rebuild` from outside: the Spark job, with a repair's pause of the stream around it."""

import time
from collections.abc import Callable
from typing import Any, Final

from batch.pause import paused
from batch.process import run_job
from cluster.container.care import care_of
from hive.generations import GenerationTable
from hive.session import connect
from pipeline.errors import LoyaltyError, Unavailable
from pipeline.lock import only_one
from pipeline.places import RAW, TRANSACTIONS, Places
from pipeline.progress import Begin, begin_unseen
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs
from streaming.checkpoint import forget_offsets
from streaming.progress import Progress, read_progress

DOING: Final = "A `rebuild`"
HIVE_SECONDS: Final = 60
STILL_SECONDS: Final = 180
"""The stream needs some 20 s to start; a batch takes seconds."""


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
    the new generations already; and `still_to_read`: whether the stream has the topic still to read
    again, because it stood before, or nobody knows how far it was. It is ok where nothing is left
    of what was found, and nothing open: lines that nobody has judged the stream judges then. Raises
    Refused while an `up` or `down` runs: neither may start or stop a second writer meanwhile.
    """
    places = Places(settings.data)
    _ask_hdfs(settings)
    with (
        only_one(places.run / "rebuild.lock", DOING),
        only_one(places.run / "up.lock", DOING),
        paused(care_of(settings), "streaming") as goes_on,
    ):
        so_that = "Each partition is as it was or repaired; call it again."
        result = run_job(
            settings, places, ["rebuild", "--repair", *arguments], so_that, told, begin=begin
        )
        before = read_progress(places)
        if result["read_again"]:
            forget_offsets(places.checkpoint)
    is_open = bool(result["read_again"])
    if is_open and goes_on and before is not None and before.offsets:
        _wait_for_the_stream(places, before, result["read_again"], begin)
        is_open = False
    was_lost = result["damaged"] or result["damaged_verdicts"] or result["missing"]
    return result | {
        "ok": not (
            is_open or result["kept"] or result["untraced"] or (result["unsure"] and was_lost)
        ),
        "still_to_read": is_open,
        "hive_shows": _show(settings, result["published"]),
    }


def _wait_for_the_stream(places: Places, before: Progress, lines: int, begin: Begin) -> None:
    """Wait until the stream has read to where it was; raises Unavailable where it stands still."""
    show = begin("the stream reads the topic again", "lines")
    done, moved_at = 0, time.monotonic()
    while True:
        now = read_progress(places)
        if now is not None and (now.epoch or 0) > (before.epoch or 0):
            if all(now.offsets.get(part, 0) >= at for part, at in before.offsets.items()):
                return
            if now.totals.lines != done:
                done, moved_at = now.totals.lines, time.monotonic()
                show(min(done, lines), lines)
        if time.monotonic() - moved_at > STILL_SECONDS:
            raise Unavailable(
                f"All is repaired, but the stream has read {done:,} of {lines:,} lines again and "
                "stands still; `./loyalty status` shows why."
            )
        time.sleep(0.5)


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
