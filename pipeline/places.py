"""Where things are: folders of the data folder, folders on HDFS, names of tables.

HDFS folders are absolute paths there; local ones hang under the data folder.
"""

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

# HBase
ORDERS_TABLE: Final = "orders"
PROBE_TABLE: Final = "probe"
FAMILY: Final = "d"


@dataclass(frozen=True, slots=True)
class Places:
    """The folders under one data folder."""

    data: Path

    @property
    def order_log(self) -> Path:
        """Where tills and the producer write; Flume tails `orders*.log` here."""
        return self.data / "orders-log"

    @property
    def positions(self) -> Path:
        """Flume's position file: how far each order log file was read."""
        return self.data / "flume" / "taildir_position.json"

    @property
    def producer(self) -> Path:
        """The demo producer's rate and its pool of members."""
        return self.data / "producer"

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
    def secrets(self) -> Path:
        """Generated passwords, readable by their owner only."""
        return self.data / "secrets"
