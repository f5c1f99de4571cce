"""What the servers hold before the first order: folders on HDFS with owners and modes."""

import socket
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from pipeline.errors import Refused
from pipeline.places import (
    CLEAN,
    LOYALTY,
    MART,
    NO_CUSTOMERS,
    QUARANTINE,
    RAW,
    RAW_CUSTOMERS,
    SPEND,
    TRANSACTIONS,
)
from pipeline.webhdfs import Hdfs

FOLDERS: Final = (
    # folder, owner, group, mode: each stage writes its own; the group `lake` (Hive, Spark) reads
    # HBase insists on the x for everyone; the folders in it are closed
    ("/hbase", "hbase", "hbase", "751"),
    ("/user", "root", "supergroup", "755"),
    ("/user/hive", "hive", "hive", "700"),
    ("/warehouse", "hive", "lake", "750"),
    ("/warehouse_ext", "hive", "lake", "750"),
    ("/data", "root", "lake", "755"),
    ("/data/raw", "root", "lake", "755"),
    (RAW, "flume", "lake", "750"),
    (RAW_CUSTOMERS, "spark", "lake", "750"),
    (CLEAN, "spark", "lake", "750"),
    (TRANSACTIONS, "spark", "lake", "750"),
    (QUARANTINE, "spark", "lake", "750"),
    (NO_CUSTOMERS, "spark", "lake", "750"),
    (MART, "hive", "lake", "750"),
    (LOYALTY, "hive", "lake", "750"),
    (SPEND, "hive", "lake", "750"),
)
PROBES: Final = "/probes"

SERVERS: Final[Mapping[str, str]] = {
    "/hbase": "hbase", "/user": "hive", "/user/hive": "hive",
    "/warehouse": "hive", "/warehouse_ext": "hive",
}  # fmt: skip
"""Folders of our own HBase and Hive: a given one has its own."""
SHARED: Final = ("/user", "/data", "/data/raw")
"""On a given HDFS others may have theirs in them, too: they stay as they are."""


def make_folders(hdfs: Hdfs, scratch: Path, given: Collection[str] = ()) -> None:
    """Make every folder, as the superuser, with its owner and mode; what is in it stays.

    Owners are set each time: a start may have been killed between the two. scratch: see Places.
    given: the servers that are not ours (see Settings.given). Raises Refused for a folder of
    somebody else's on a given HDFS; only an empty one is taken.
    """
    rows = wanted_folders(given)
    shared = {*SHARED, *map(str, scratch.parent.parents)}
    if "hive" not in given:
        rows += scratch_folders(scratch, {path for path, *_ in rows})
    for path, owner, group, mode in rows:
        if "hdfs" in given and (found := hdfs.status(path)) is not None:
            if path in shared:
                continue
            if hdfs.names(path):
                demand_owner(path, found["owner"], owner, group)
        hdfs.make_folder(path)
        hdfs.own(path, owner, group, mode)


def wanted_folders(given: Collection[str]) -> list[tuple[str, str, str, str]]:
    """Give those of the folders that are not a given server's own affair."""
    return [row for row in FOLDERS if SERVERS.get(row[0]) not in given]


def scratch_folders(scratch: Path, known: Collection[str]) -> list[tuple[str, str, str, str]]:
    """Give the scratch folder with those above it, outermost first, but for the known ones."""
    above = [str(path) for path in reversed(scratch.parent.parents) if path != Path("/")]
    return [
        *((path, "root", "supergroup", "755") for path in above if path not in known),
        (str(scratch.parent), "hive", "hive", "700"),
        # HiveServer2 insists on 733; the folder above lets nobody else in
        (str(scratch), "hive", "hive", "733"),
    ]


def demand_owner(path: str, found: str, owner: str, group: str) -> None:
    """Raise Refused where a folder, with something in it, belongs to another one."""
    if found != owner:
        raise Refused(
            f"{path} on the given HDFS belongs to {found}, and {owner} has to write there: hand it "
            f"over (hdfs dfs -chown -R {owner}:{group} {path}), or use another HDFS."
        )


def check_hbase_root(hdfs: Hdfs) -> None:
    """Refuse to start an HBase of ours, for the first time, in the folder of another one."""
    if hdfs.names("/hbase"):
        raise Refused(
            "/hbase on the given HDFS holds another HBase; set LOYALTY_HBASE and LOYALTY_ZOOKEEPER "
            "to use that one."
        )


def write_and_read(hdfs: Hdfs) -> None:
    """Ask HDFS the real question: a small file written and read back.

    Each thread has one of its own: `status`, a start and the watcher may ask at the same time, and
    in other containers other threads have the same number.
    """
    probe = f"{PROBES}/{socket.gethostname()}-{threading.get_native_id()}"
    hdfs.write(probe, b"answer")
    if hdfs.read(probe) != b"answer":
        raise OSError("HDFS gave back other bytes than were written")
    hdfs.delete(probe)
