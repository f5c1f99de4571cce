"""Where things are: folders of the data folder, folders on HDFS, names of tables.

HDFS folders are absolute paths there; local ones hang under the data folder.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# on HDFS
RAW: Final = "/data/raw/orders"
"""The master data set: one folder dt=YYYY-MM-DD per arrival date, text files of raw lines."""
RAW_CUSTOMERS: Final = "/data/raw/customers"
"""Customer files as they were loaded, one a generation."""
CLEAN: Final = "/data/clean"
TRANSACTIONS: Final = f"{CLEAN}/transactions_cln"
QUARANTINE: Final = f"{CLEAN}/quarantine"
CUSTOMERS: Final = f"{CLEAN}/customers_cln"
NO_CUSTOMERS: Final = f"{CLEAN}/no_customers"
"""Stays empty: where customers_cln is before the first load."""
STAGING: Final = f"{CLEAN}/staging"
"""Where the stream stages its batches."""
MART: Final = "/data/mart"
LOYALTY: Final = f"{MART}/loyalty"
SPEND: Final = f"{MART}/spend_daily"

# HBase
ORDERS_TABLE: Final = "orders"
PROBE_TABLE: Final = "probe"
FAMILY: Final = "d"


_TAILED: Final = re.compile(r"orders.*\.log", re.DOTALL)
"""As in flume/conf/flume.conf.j2; `.` is a line feed as well, there and here."""


@dataclass(frozen=True, slots=True)
class Places:
    """The folders under one data folder."""

    data: Path

    @property
    def order_log(self) -> Path:
        """Where tills and the producer write; Flume tails `orders*.log` here."""
        return self.data / "orders-log"

    def order_files(self) -> list[Path]:
        """List the files that Flume tails, in the order of their names; no folder is one."""
        return tailed_files(self.order_log)

    @property
    def positions(self) -> Path:
        """Flume's position file: how far each order log file was read."""
        return self.data / "flume" / "taildir_position.json"

    @property
    def producer(self) -> Path:
        """The demo producer's rate and its pool of members."""
        return self.data / "producer"

    @property
    def customers_loaded(self) -> Path:
        """Is there once a chain's own customers were loaded: nothing is invented for it."""
        return self.data / "customers.loaded"

    @property
    def checkpoint(self) -> Path:
        """The stream's checkpoint. Losing it is harmless: identities are compared."""
        return self.data / "spark" / "checkpoint"

    @property
    def conf(self) -> Path:
        """Rendered configuration, a folder per component."""
        return self.data / "conf"

    @property
    def logs(self) -> Path:
        """One log file per component, rotated."""
        return self.data / "log"

    @property
    def run(self) -> Path:
        """The supervisor's configuration and socket, and locks."""
        return self.data / "run"

    @property
    def temporary(self) -> Path:
        """What servers and Spark need while they run; emptied at each start."""
        return self.data / "tmp"

    @property
    def hive(self) -> Path:
        """What our Hive keeps on this machine: the metastore's database, its sessions' folders."""
        return self.data / "hive"

    @property
    def scratch(self) -> Path:
        """A folder for each of Hive's sessions, on HDFS and here: Tez in local mode works in the
        folder of this machine that has the path of the one on HDFS.
        """
        return self.hive / "scratch"

    @property
    def secrets(self) -> Path:
        """Generated passwords, readable by their owner only."""
        return self.data / "secrets"

    @property
    def sql_history(self) -> Path:
        """What was typed at the prompt of `sql`, readable by its owner only."""
        return self.data / "sql-history"

    def left_out(self) -> dict[Path, str]:
        """Tell what has the name of a till's file and is not read, and why, as a predicate."""
        return _parted(self.order_log)[1]


def tailed_files(order_log: Path) -> list[Path]:
    """List the files of an order log folder that Flume tails, in the order of their names."""
    return _parted(order_log)[0]


def _parted(order_log: Path) -> tuple[list[Path], dict[Path, str]]:
    """Part what has the name of a till's file into what Flume tails and what it does not, with the
    reason: by the rules of flume/java/…/TaildirMatcher.java.
    """
    if not order_log.is_dir():
        return [], {}
    named = [path for path in order_log.iterdir() if _TAILED.fullmatch(path.name)]
    tailed: dict[int, Path] = {}
    others: dict[Path, str] = {}
    # of two names the one that is no link, then the first of the alphabet
    for path in sorted(named, key=lambda path: (path.is_symlink(), path.name)):
        try:
            status = path.stat()
        except OSError:
            if path.is_symlink():
                others[path] = "is a link to nothing"
            continue
        if stat.S_ISDIR(status.st_mode):
            others[path] = "is a folder"
        elif not stat.S_ISREG(status.st_mode):
            others[path] = "is no regular file"
        elif not _is_utf8(path.name):
            others[path] = "has a name that is no UTF-8"
        else:
            tailed.setdefault(status.st_ino, path)  # a second name is read under the first
    return sorted(tailed.values()), others


def _is_utf8(name: str) -> bool:
    try:
        os.fsencode(name).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
