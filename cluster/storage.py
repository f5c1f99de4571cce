"""What the servers hold before the first order: folders on HDFS with owners and modes."""

from typing import Final

from pipeline.places import (
    CLEAN,
    LOYALTY,
    MART,
    NO_CUSTOMERS,
    QUARANTINE,
    RAW,
    RAW_CUSTOMERS,
    TRANSACTIONS,
)
from pipeline.webhdfs import Hdfs

FOLDERS: Final = (
    # folder, owner, group, mode: each stage writes its own; the group `lake` (Hive, Spark) reads
    ("/hbase", "hbase", "hbase", "750"),
    ("/user", "root", "supergroup", "755"),
    ("/user/hive", "hive", "hive", "700"),
    # HiveServer2 insists on 733; the folder above lets nobody else in
    ("/user/hive/scratch", "hive", "hive", "733"),
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
)
PROBE: Final = "/probes/probe"


def make_folders(hdfs: Hdfs) -> None:
    """Make every folder, as the superuser, with its owner and mode; what is in it stays.

    Owners are set each time: a start may have been killed between the two.
    """
    for path, owner, group, mode in FOLDERS:
        hdfs.make_folder(path)
        hdfs.own(path, owner, group, mode)


def write_and_read(hdfs: Hdfs) -> None:
    """Ask HDFS the real question: a small file written and read back."""
    hdfs.write(PROBE, b"answer")
    if hdfs.read(PROBE) != b"answer":
        raise OSError("HDFS gave back other bytes than were written")
