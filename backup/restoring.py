"""Puts a backup into a new, empty stack: a start with three more steps before Flume and the stream.

The files go back where they lay; the order log files go back with a position file, so that Flume
reads only what raw does not have; HBase gets its rows from the clean tables. The topic is new, and
begins with what the backup had still to read: so the stream begins a new epoch.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backup.copies import THREADS
from backup.manifest import HDFS, LOGS, Item, Manifest
from backup.taking import demand_room
from cluster.checks import existing
from cluster.stack import Stack
from cluster.stamp import Stamp
from cluster.startup import Step
from hbase.codec import Cells, to_row
from hbase.table import Tables
from hive.generations import GenerationTable
from hive.refresh import refresh
from hive.session import open_session
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
from pipeline.progress import Begin, Progress
from pipeline.raw import begins_file
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


def check_room(manifest: Manifest, data: Path) -> None:
    """Refuse a backup that the disk of a data folder, which need not be there, has no room for.

    Lines of the order log may go into the topic and the tables again.
    """
    size = sum(item.size for item in (*manifest.items, *manifest.below(LOGS)))
    demand_room(existing(data), size, "The restored stack")


@dataclass(frozen=True, slots=True)
class Restoration:
    """One backup on its way into one stack. told: is given sentences, from several
    threads.
    """

    stack: Stack
    folder: Path
    manifest: Manifest
    told: Callable[[str], None] = lambda _: None

    def steps(self, found: Stamp, jars: dict[str, Path]) -> tuple[list[Step], list[Step]]:
        """Give the steps of a start that are done before `put_back`, and those after it."""
        start = self.stack.start_steps(found, jars)
        servers = [step for step in start if step.name not in {*STAGES, "refresh"}]
        # the schedule would sum what is not whole yet, and hold the lock
        return servers, [step for step in start if step.name in STAGES]

    def put_back(self, begin: Begin) -> None:
        """Put everything back before Flume and the stream run, and show each part's progress."""
        self.put_files(begin("files of the backup, on HDFS", "bytes"))
        self.put_logs(begin("order log files", "bytes"))
        self.put_rows(begin("rows of HBase", "rows"))

    def put_files(self, progress: Progress) -> None:
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

        def put(item: Item) -> Item:
            path = item.path.removeprefix(HDFS)
            with (self.folder / item.path).open("rb") as file:
                users[_owner(path)].write(path, file)
            return item

        items = self.manifest.below(HDFS)
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in _weighed(pool.map(put, items), items, progress):
                pass

    def put_logs(self, progress: Progress) -> None:
        """Put back the order log files, and say where Flume reads on; and what lay beside them."""
        places = self.stack.places
        read = []
        items = self.manifest.below(LOGS)
        for item in _weighed(items, items, progress):
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
        for item in self.manifest.local():
            target = places.data / item.path
            target.parent.mkdir(mode=0o750, exist_ok=True)
            shutil.copyfile(self.folder / item.path, target)
            os.utime(target, (item.changed, item.changed))
        if self.manifest.customers_loaded:
            places.customers_loaded.touch()
        ask_rate(places, PAUSE)

    def put_rows(self, progress: Progress) -> None:
        """Write the rows of HBase: every clean line, and every line that was FUTURE."""
        rows = till_rows(self.folder, self.manifest, self.told)
        total = count_rows(self.folder, self.manifest)
        with Tables(*self.stack.settings.thrift, HBASE_SECONDS) as tables:
            tables.put_all(ORDERS_TABLE, _numbered(rows, total, progress))

    def refresh(self) -> Iterator[str]:
        """Make the snapshots anew that there were; gives each date when it is there."""
        settings = self.stack.settings
        hdfs = Hdfs(settings.webhdfs, user="spark")
        if hdfs.names(CUSTOMERS):
            grace = settings.grace_seconds
            table = GenerationTable(hdfs, settings.hdfs, "customers_cln", CUSTOMERS, grace)
            with open_session(settings) as session:
                table.show(session)
        for day in self.manifest.snapshots:
            refresh(settings, self.stack.places, date.fromisoformat(day))
            yield day


def _weighed(work: Iterable[Item], items: list[Item], progress: Progress) -> Iterator[Item]:
    """Give items on, and tell how many of the bytes of all are done."""
    done, total = 0, sum(item.size for item in items)
    for item in work:
        yield item
        done += item.size
        progress(done, total)


def _numbered(
    rows: Iterator[tuple[bytes, Cells]], total: int, progress: Progress
) -> Iterator[tuple[bytes, Cells]]:
    for number, row in enumerate(rows, 1):
        yield row
        progress(number, total)


def count_rows(folder: Path, manifest: Manifest) -> int:
    """Count the clean lines, by what the copied files say of themselves: a few more are FUTURE.

    A file that cannot be read counts none: `till_rows` tells it.
    """
    count = 0
    for item in manifest.below(f"{HDFS}{TRANSACTIONS}"):
        with suppress(pa.ArrowException):
            count += pq.read_metadata(folder / item.path).num_rows
    return count


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
    if path == begins_file():
        return ROOT
    return "flume" if path.startswith(f"{RAW}/") else "spark"
