"""How long each store keeps what it has, how much that is now, and how old the oldest of it is."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from pipeline.errors import LoyaltyError
from pipeline.generations import numbers, partitions
from pipeline.places import (
    CUSTOMERS,
    LOYALTY,
    QUARANTINE,
    RAW,
    RAW_CUSTOMERS,
    SPEND,
    TRANSACTIONS,
    Places,
)
from pipeline.progress import Progress, unseen
from pipeline.raw import dates
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs, superuser_of

FOR_EVER: Final = "for ever"
PATIENCE_SECONDS: Final = 10
"""How long HDFS may take for an answer."""


@dataclass(frozen=True, slots=True)
class Store:
    """One row. kept: in words. setting: the LOYALTY_* that says so, None where nothing does.

    used: bytes; oldest: its date (UTC; of raw the date of arrival). None: nothing, or not known
    while HDFS does not answer.
    """

    store: str
    kept: str
    setting: str | None
    used: int | None
    oldest: date | None


THEIRS: Final = "as its server does"
"""How long a given server keeps what is its own."""


def _of_topic(places: Places, topic: str) -> "Held":
    """Look at our own Kafka's disk, where it is this machine's (or this container's)."""
    folder = places.data / "kafka"
    return on_disk(folder.glob(f"{topic}-*/*")) if folder.exists() else (None, None)


def _ours(settings: Settings, server: str, kept: str, setting: str) -> tuple[str, str | None]:
    """Give how long a server keeps something, and the setting that says so, if it is ours."""
    return (THEIRS, None) if server in settings.given else (kept, setting)


Held = tuple[int | None, date | None]
"""Bytes, and the date of the oldest."""


def describe_retention(settings: Settings, progress: Progress = unseen) -> list[Store]:
    """Look at every store; one that does not answer has None for what it holds.

    HDFS is asked for all of its stores at once: where it is silent, they wait together.
    """
    places, hdfs = Places(settings.data), superuser_of(settings, timeout=PATIENCE_SECONDS)
    s = settings
    raw = f"{s.raw_retention_days} days" if s.raw_retention_days else FOR_EVER
    rows: list[tuple[str, str, str | None, Callable[[], Held]]] = [
        ("topic", *_ours(s, "kafka", f"{s.topic_retention_days} days", "topic_retention_days"),
         lambda: _of_topic(places, s.topic)),
        ("order log files", f"{s.log_retention_days} days, if read", "log_retention_days",
         lambda: on_disk(places.order_files())),
        ("HDFS raw", raw, "raw_retention_days", lambda: _raw(hdfs)),
        ("transactions_cln", FOR_EVER, None, lambda: _on_hdfs(hdfs, TRANSACTIONS)),
        ("quarantine", FOR_EVER, None, lambda: _on_hdfs(hdfs, QUARANTINE)),
        ("spend_daily", FOR_EVER, None, lambda: _on_hdfs(hdfs, SPEND)),
        ("loyalty", FOR_EVER, None, lambda: _on_hdfs(hdfs, LOYALTY)),
        ("customer files", "the newest two", None, lambda: _on_hdfs(hdfs, RAW_CUSTOMERS)),
        ("old generations", f"{s.generation_minutes} minutes", "generation_minutes",
         lambda: _old_generations(hdfs)),
        ("HBase old files",
         *_ours(s, "hbase", f"{s.hbase_old_minutes} minutes", "hbase_old_minutes"),
         lambda: _both(_on_hdfs(hdfs, "/hbase/oldWALs"), _on_hdfs(hdfs, "/hbase/archive"))),
        ("Hive scratch", *_ours(s, "hive", f"{s.hive_scratch_hours} hours", "hive_scratch_hours"),
         lambda: _both(_on_hdfs(hdfs, str(places.scratch)), on_disk(
             p for f in (places.scratch, places.hive / "local") for p in below(f)))),
        # Docker counts the file that is written, too
        ("server logs",
         f"{s.server_log_files + (not s.containers)} x {s.server_log_mib} MiB each",
         "server_log_mib/files", lambda: on_disk(places.logs.glob("*"))),
        ("temporary files", "to next start", None,
         lambda: on_disk(below(places.temporary))),
    ]  # fmt: skip
    stores = []
    with ThreadPoolExecutor(len(rows)) as pool:
        answers = pool.map(_asked, [held for *_, held in rows])
        for (name, kept, setting, _), held in zip(rows, answers, strict=True):
            variable = f"LOYALTY_{setting.upper()}" if setting else None
            stores.append(Store(name, kept, variable, *held))
            progress(len(stores), len(rows))
    return stores


def _asked(held: Callable[[], Held]) -> Held:
    try:
        return held()
    except LoyaltyError:
        return None, None


def below(folder: Path) -> Iterator[Path]:
    """Give all files below a folder; what goes meanwhile is left out, with all in it."""
    for path, _, names in os.walk(folder):
        yield from (Path(path, name) for name in names)


def on_disk(paths: Iterable[Path]) -> Held:
    """Add files up; what goes meanwhile does not count."""
    return _added(_sizes(paths))


def _sizes(paths: Iterable[Path]) -> Iterator[tuple[int, float]]:
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            continue
        if path.is_file():
            # an index that Kafka has allocated and not filled takes no room
            yield min(found.st_size, found.st_blocks * 512), found.st_mtime


def _on_hdfs(hdfs: Hdfs, folder: str) -> Held:
    return _added(
        (status["length"], status["modificationTime"] / 1000) for _, status in hdfs.walk(folder)
    )


def _raw(hdfs: Hdfs) -> Held:
    used, _ = _on_hdfs(hdfs, RAW)
    return used, next(iter(dates(hdfs)), None)


def _old_generations(hdfs: Hdfs) -> Held:
    found: Held = (0, None)
    for table in (TRANSACTIONS, QUARANTINE, SPEND, LOYALTY):
        for _, folders in partitions(hdfs, table):
            for old in folders[:-1]:
                found = _both(found, _on_hdfs(hdfs, old))
    for number in numbers(hdfs.names(CUSTOMERS))[:-1]:
        found = _both(found, _on_hdfs(hdfs, f"{CUSTOMERS}/g={number}"))
    return found


def _both(one: Held, other: Held) -> Held:
    oldest = [day for _, day in (one, other) if day]
    return (one[0] or 0) + (other[0] or 0), min(oldest, default=None)


def _added(found: Iterable[tuple[int, float]]) -> Held:
    used, oldest = 0, None
    for size, changed in found:
        used += size
        oldest = min(changed, oldest or changed)
    return used, None if oldest is None else datetime.fromtimestamp(oldest, tz=UTC).date()
