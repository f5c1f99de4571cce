"""Puts a backup into a new, empty stack: a start with three more steps before Flume and the stream.

The files go back where they lay; the order log files go back with a position file, so that Flume
reads only what raw does not have; HBase gets its rows from the clean tables. The topic is new, and
begins with what the backup had still to read: so the stream begins a new epoch.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backup.copies import THREADS
from backup.manifest import HDFS, LOGS, PRODUCER, Manifest
from backup.taking import CUSTOMERS_LOADED
from cluster.stack import Stack
from cluster.stamp import Stamp
from cluster.startup import Step
from hbase.codec import Cells, to_row
from hbase.table import Tables
from hive.generations import GenerationTable
from hive.refresh import refresh
from hive.session import connect
from pipeline.errors import Refused
from pipeline.places import (
    CUSTOMERS,
    LOYALTY,
    ORDERS_TABLE,
    QUARANTINE,
    RAW,
    SPEND,
    TRANSACTIONS,
)
from pipeline.raw import begins_files
from pipeline.webhdfs import Hdfs
from producer.rate import PAUSE, ask_rate
from streaming.files import TRANSACTIONS as COLUMNS
from streaming.identities import lines

ROOT: Final = "the superuser"
"""Who is called otherwise on a given HDFS."""
STAGES: Final = ("flume", "streaming")
HBASE_SECONDS: Final = 60
"""How long HBase may take for a thousand rows."""


def check_fits(manifest: Manifest, stack: Stack) -> None:
    """Refuse a backup whose business dates or partitions are others than this stack's."""
    zone, hours = stack.programme.time_zone, stack.settings.partition_hours
    if manifest.time_zone != zone:
        raise Refused(
            f"The backup holds business dates in {manifest.time_zone}, programme.toml says {zone}; "
            "give LOYALTY_PROGRAMME the programme.toml that is in the backup."
        )
    if manifest.partition_hours != hours:
        raise Refused(
            f"The backup has partitions of {manifest.partition_hours} hours, this stack of {hours};"
            f" set LOYALTY_PARTITION_HOURS to {manifest.partition_hours}."
        )


@dataclass(frozen=True, slots=True)
class Restoration:
    """One backup on its way into one stack. told: is given sentences, from several
    threads.
    """

    stack: Stack
    folder: Path
    manifest: Manifest
    told: Callable[[str], None] = lambda _: None

    def steps(self, found: Stamp, jars: dict[str, Path]) -> list[Step]:
        """Give the steps of a start that puts everything back before Flume and the stream run."""
        own = [
            Step("files", "files of the backup, on HDFS", self.put_files, ("folders",)),
            Step("order-log", "order log files", self.put_logs),
            Step("rows", "rows of HBase", self.put_rows, ("hbase-tables",)),
        ]
        names = tuple(step.name for step in own)
        start = [
            replace(step, needs=(*step.needs, *names)) if step.name in STAGES else step
            for step in self.stack.start_steps(found, jars)
            if step.name != "refresh"  # it would sum what is not whole yet, and hold the lock
        ]
        return [*start, *own]

    def put_files(self) -> None:
        """Write the files on HDFS, as their owners."""
        url = self.stack.settings.webhdfs
        users = {name: Hdfs(url, user=name) for name in ("flume", "spark")}
        users[ROOT] = Hdfs(url, user=self.stack.settings.superuser)
        tables = (RAW, TRANSACTIONS, QUARANTINE, CUSTOMERS, LOYALTY, SPEND)
        if held := [path for path in tables if users[ROOT].names(path)]:
            raise Refused(
                f"{', '.join(held)} on the given HDFS are not empty; delete them there, then "
                "`./loyalty down --purge` and restore again."
            )

        def put(name: str) -> None:
            source = self.folder / name
            path = name.removeprefix(HDFS)
            with source.open("rb") as file:
                users[_owner(path)].write(path, file)

        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(put, [item.path for item in self.manifest.below(HDFS)]):
                pass

    def put_logs(self) -> None:
        """Put back the order log files, and say where Flume reads on; and the demo's members."""
        places = self.stack.places
        read = []
        for item in self.manifest.below(LOGS):
            target = places.order_log / item.path.removeprefix(f"{LOGS}/")
            # hidden from Flume's pattern until it is whole
            part = target.with_name(f".{target.name}.part")
            shutil.copyfile(self.folder / item.path, part)
            os.utime(part, (item.changed, item.changed))  # its retention goes on
            part.chmod(0o640)
            part.rename(target)
            position = self.manifest.positions[target.name]
            read.append({"inode": target.stat().st_ino, "pos": position, "file": str(target)})
        places.positions.write_text(json.dumps(read), encoding="utf-8")
        for item in self.manifest.below(PRODUCER):
            shutil.copyfile(self.folder / item.path, places.data / item.path)
        if self.manifest.customers_loaded:
            (places.data / CUSTOMERS_LOADED).touch()
        ask_rate(places, PAUSE)

    def put_rows(self) -> None:
        """Write the rows of HBase: every clean line, and every line that was FUTURE."""
        with Tables(*self.stack.settings.thrift, HBASE_SECONDS) as tables:
            tables.put_all(ORDERS_TABLE, till_rows(self.folder, self.manifest, self.told))

    def refresh(self) -> Iterator[str]:
        """Make the snapshots anew that there were; gives each date when it is there."""
        settings = self.stack.settings
        hdfs = Hdfs(settings.webhdfs, user="spark")
        if hdfs.names(CUSTOMERS):
            grace = settings.grace_seconds
            table = GenerationTable(hdfs, settings.hdfs, "customers_cln", CUSTOMERS, grace)
            with connect(*settings.hive, timeout=settings.query_seconds) as session:
                table.show(session)
        for day in self.manifest.snapshots:
            refresh(settings, self.stack.places, date.fromisoformat(day))
            yield day


def till_rows(
    folder: Path, manifest: Manifest, told: Callable[[str], None]
) -> Iterator[tuple[bytes, Cells]]:
    """Give HBase's rows from the copied tables; of a conflict the side that came first is last.

    A Parquet file that cannot be read is told, and left out: `verify` will name it too.
    """
    for item in manifest.below(f"{HDFS}{QUARANTINE}"):
        if (rows := _read(folder / item.path, ["raw", "reason"], told)) is not None:
            future = rows.filter(pc.equal(rows["reason"], "FUTURE"))
            yield from map(to_row, future["raw"].to_pylist())
    for item in manifest.below(f"{HDFS}{TRANSACTIONS}"):
        if (rows := _read(folder / item.path, COLUMNS.names, told)) is not None:
            yield from map(to_row, lines(rows.cast(COLUMNS)))


def _read(path: Path, columns: list[str], told: Callable[[str], None]) -> pa.Table | None:
    try:
        return pq.read_table(path, partitioning=None).select(columns)
    except (pa.ArrowException, KeyError, ValueError) as error:
        told(f"{path} was no table's file already when it was copied ({error}); it is left out.")
        return None


def _owner(path: str) -> str:
    """Give who writes a path (cluster/storage.py): a user, or ROOT, the superuser."""
    if path in begins_files():
        return ROOT
    return "flume" if path.startswith(f"{RAW}/") else "spark"
