"""What each store takes of the disk, in bytes."""

import os
from pathlib import Path
from typing import Any, Final

from cluster.samples import Memory, growth, newest_values
from pipeline.places import CLEAN, MART, RAW, Places
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs, superuser_of

LOCAL: Final = {"order log": "orders-log", "Kafka": "kafka", "logs": "log"}
"""Stores by their folder in the data folder."""
ON_HDFS: Final = {"raw": RAW.rpartition("/")[0], "clean": CLEAN, "mart": MART, "HBase": "/hbase"}
"""Stores by their folder on HDFS."""
STORES: Final = ("order log", "Kafka", *ON_HDFS, "logs", "other")


def measure_sizes(settings: Settings) -> dict[str, int]:
    """Give the bytes of each store of STORES; `other` is the rest of the data folder, and of our
    own HDFS. Raises Unavailable where HDFS does not answer.
    """
    places = Places(settings.data)
    hdfs = superuser_of(settings, timeout=5)
    folders = {store: places.data / folder for store, folder in LOCAL.items()}
    # Kafka's is elsewhere where it is given, or in a container of its own
    found = {store: used(folder) for store, folder in folders.items() if folder.exists()}
    found |= {store: _size(hdfs, folder) for store, folder in ON_HDFS.items()}
    rest = [path for path in places.data.iterdir() if path.name not in {*LOCAL.values(), "hdfs"}]
    found["other"] = sum(map(used, [*rest, places.data / "hdfs" / "name"]))
    if "hdfs" not in settings.given:  # Hive's own files; what else a given one has is not ours
        found["other"] += hdfs.size("/") - sum(found[store] for store in ON_HDFS)
    return found


def used(path: Path) -> int:
    """Give the bytes that a file, or a folder with all in it, takes of its disk; links count as
    themselves, and what goes meanwhile as nothing.
    """
    try:
        total = path.lstat().st_blocks * 512
        if path.is_symlink() or not path.is_dir():
            return total
        with os.scandir(path) as entries:
            return total + sum(used(Path(entry.path)) for entry in entries)
    except OSError:
        return 0


def _size(hdfs: Hdfs, folder: str) -> int:
    try:
        return hdfs.size(folder)
    except FileNotFoundError:  # before the first start has made it
        return 0


def describe_sizes(memory: Memory) -> list[dict[str, Any]]:
    """Give of each store its name, bytes, and bytes_per_day by which it grows; None where the
    watcher has not measured it yet.
    """
    sizes, grows = newest_values(memory.sizes), growth(memory.sizes)
    return [
        {"store": store, "bytes": sizes.get(store),
         "bytes_per_day": round(grows[store]) if store in grows else None}
        for store in STORES
    ]  # fmt: skip
