"""Loads a customer file: onto HDFS, through the Spark job, into Hive's sight."""

import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from batch.process import run_job
from hive.generations import GenerationTable
from hive.session import connect
from pipeline.errors import LoyaltyError, Refused, Unavailable
from pipeline.generations import highest
from pipeline.lock import only_one
from pipeline.places import CUSTOMERS, RAW_CUSTOMERS, Places
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs
from producer.rate import RESUME, ask_rate, asked

PATIENCE_SECONDS: Final = 60
"""How long HiveServer2 may be away before the switch is left to the next refresh or load."""
UNFINISHED: Final = "loading-"
"""How the file's name on HDFS begins until its generation is there; its number follows."""
KEPT_FILES: Final = 2
"""They hold personal data: the newest and its forerunner are enough."""
_MEANT: Final = re.compile(rf"{UNFINISHED}([1-9][0-9]*)-")
_KEPT: Final = re.compile(r"g=([1-9][0-9]*)\.csv")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded. rejected: broken rows, listed by line and reason in rejected_file."""

    rows: int
    rejected: int
    generation: int
    producer_paused: bool
    rejected_file: Path | None


def load_customers(settings: Settings, places: Places, file: Path, *, demo: bool) -> Loaded:
    """Make a customer file the table customers_cln, and its members the producer's pool.

    demo: the members are invented; else the demo producer is paused. Raises Refused, with the
    table as it was, for a file that is none and while another load runs.
    """
    check_file(file)
    hdfs = Hdfs(settings.webhdfs, user="spark")
    rejected = places.data / "rejected" / f"{file.stem}-{datetime.now(tz=UTC):%Y%m%dT%H%M%SZ}.csv"
    with only_one(places.run / "customers.lock", "A `customers load`"):
        before = highest(hdfs, CUSTOMERS)
        settle_raw(hdfs, before)
        as_before = remember_demo(places)
        raw = f"{RAW_CUSTOMERS}/{UNFINISHED}{before + 1}-{uuid.uuid4().hex}.csv"
        try:
            with file.open("rb") as stream:
                hdfs.write(raw, stream)
            result = _run_job(settings, places, raw, file.name, rejected, demo=demo)
            generation = result["generation"]
            keep_raw(hdfs, raw, generation)
        except BaseException:
            # what cannot be settled now, the next load settles
            with suppress(LoyaltyError):
                newest = highest(hdfs, CUSTOMERS)
                settle_raw(hdfs, newest)
                if newest == before:
                    as_before()
            raise
        grace = settings.grace_seconds
        _show(settings, GenerationTable(hdfs, settings.hdfs, "customers_cln", CUSTOMERS, grace))
    return Loaded(
        rows=result["rows"],
        rejected=result["rejected"],
        generation=generation,
        producer_paused=result["producer_paused"],
        rejected_file=rejected if result["rejected"] else None,
    )


def remember_demo(places: Places) -> Callable[[], None]:
    """Give what undoes, after a load that came to nothing, what the job does to a demo before the
    chain's members are to be seen: its mark, and the pause of invented orders.
    """
    was_loaded, state = places.customers_loaded.exists(), asked(places)

    def as_before() -> None:
        if not was_loaded:
            places.customers_loaded.unlink(missing_ok=True)
        now = asked(places)
        if state is not None and not state.paused and now is not None and now.paused:
            ask_rate(places, RESUME)

    return as_before


def settle_raw(hdfs: Hdfs, newest: int, folder: str = RAW_CUSTOMERS) -> None:
    """Settle the files of loads that broke off: one whose generation is there is that one's, any
    other is deleted. newest: the highest generation. Nobody else may load meanwhile.
    """
    names = hdfs.names(folder)
    for name in names:
        if not name.startswith(UNFINISHED):
            continue
        meant = _MEANT.match(name)
        if meant and int(meant[1]) == newest and f"g={newest}.csv" not in names:
            keep_raw(hdfs, f"{folder}/{name}", newest, folder)
        else:
            hdfs.delete(f"{folder}/{name}")


def keep_raw(hdfs: Hdfs, raw: str, generation: int, folder: str = RAW_CUSTOMERS) -> None:
    """Make a loaded file its generation's; of the others only its forerunner's stays."""
    target = f"{folder}/g={generation}.csv"
    # one of that number, or a higher one, belongs to a generation that is gone
    hdfs.delete(target)
    hdfs.rename(raw, target)
    found = [int(m[1]) for m in map(_KEPT.fullmatch, hdfs.names(folder)) if m]
    kept = sorted(number for number in found if number <= generation)[-KEPT_FILES:]
    for number in set(found) - set(kept):
        hdfs.delete(f"{folder}/g={number}.csv")


def check_file(file: Path) -> None:
    """Refuse what is visibly no customer file, before anything is started for it."""
    try:
        with file.open("rb") as stream:
            if not stream.seekable():
                raise Refused(f"{file} is a pipe; give a file, which can be read twice.")
            first = stream.readline(65_536)
            stream.seek(0)
            for piece in iter(lambda: stream.read(1 << 20), b""):
                if b"\0" in piece:
                    raise Refused(f"{file} is no text; give the customers as a CSV file.")
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror}); correct the path.") from error
    if not first.strip(b"\xef\xbb\xbf\r\n "):
        raise Refused(f"{file} is empty, or begins with an empty line; customers stay as they are.")
    if first.count(b",") < 8:
        raise Refused(
            f"{file} has {first.count(b',') + 1} columns in its first line, not nine: customer_id, "
            "home_store, name, email, since, card number, birthdate, gender, birth year."
        )


def _run_job(
    settings: Settings, places: Places, raw: str, name: str, rejected: Path, *, demo: bool
) -> dict[str, Any]:
    """Run the Spark job; raises Refused for a file that it refuses."""
    arguments = ["customers", "--file", raw, "--name", name, "--rejected", str(rejected)]
    arguments += ["--demo"] if demo else []
    so_that = "Load the file again: it replaces all customers, or none."
    return run_job(settings, places, arguments, so_that)


def _show(settings: Settings, table: GenerationTable) -> None:
    """Switch Hive to the newest generation, as soon as HiveServer2 answers."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with connect(*settings.hive, timeout=60) as session:
                table.show(session)
        except Unavailable as error:
            if time.monotonic() > end:
                newest = highest(table.hdfs, table.folder)
                raise Unavailable(
                    f"Generation {newest} of customers_cln is loaded, but Hive shows the "
                    f"old one: {error} The next `./loyalty refresh` makes the switch."
                ) from error
            time.sleep(1)
        else:
            return
