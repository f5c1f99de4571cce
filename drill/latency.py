"""How long a line is on its way from its till: by what HBase and HDFS took down themselves.

A receipt's instant is that of its writing, where no fault was planted in it. HBase stamps a row
when it gets it; a file of transactions_cln bears the time at which it was written whole, from which
two renames are left until Hive shows it.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import happybase
import pyarrow as pa
import pyarrow.parquet as pq

from drill.stack import OwnStack
from pipeline.places import FAMILY, ORDERS_TABLE, TRANSACTIONS
from pipeline.webhdfs import Hdfs
from streaming.files import DataName, read_data_name

HBASE: Final = "HBase"
HBASE_SECONDS: Final = 1.0
"""Of 99 in 100 lines, by the budget."""
TABLE: Final = "transactions_cln"
BEYOND_TRIGGER: Final = 3.0
"""The same, beyond the pause between two batches."""
_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from the till to a store: of the line in the middle, of the 99th in a hundred, of the
    last; and how many lines these are of.
    """

    half: float
    most: float
    longest: float
    lines: int


def waits(stack: OwnStack, key: Path, since_ms: int, until_ms: int) -> dict[str, Waits]:
    """Measure the receipts written in that time (epoch ms), by store.

    Lines that are in a file of a merge are left out: it is younger than they are.
    """
    receipts = plain_receipts(key, since_ms, until_ms)
    found = {HBASE: _in_hbase(stack, receipts), TABLE: _in_files(stack, receipts, since_ms)}
    return {store: spread(sorted(waited)) for store, waited in found.items()}


def too_slow(found: dict[str, Waits], trigger_seconds: float) -> list[str]:
    """Say which store the lines reach later than the budget allows."""
    most = {HBASE: HBASE_SECONDS, TABLE: trigger_seconds + BEYOND_TRIGGER}
    said = [f"no line was measured in {store}" for store, one in found.items() if not one.lines]
    return said + [
        f"99 in 100 lines are in {store} after {one.most:.1f} s, and {most[store]:.1f} is the most"
        for store, one in found.items()
        if one.most > most[store]
    ]


def plain_receipts(key: Path, since_ms: int, until_ms: int) -> dict[str, int]:
    """Give the instant of each receipt of that time in which no fault was planted, by its id."""
    receipts: dict[str, int] = {}
    faulty = set()
    with key.open(encoding="ascii") as rows:
        next(rows)
        for row in rows:
            identity, *_, fault = row.rstrip("\n").split("\t")
            fields = identity.split("|")
            if fault:
                faulty.add(fields[2] if len(fields) > 2 else "")
            elif since_ms <= int(fields[1]) <= until_ms:
                receipts[fields[2]] = int(fields[1])
    return {order: at for order, at in receipts.items() if order not in faulty}


def spread(waited: list[float]) -> Waits:
    """Tell how sorted seconds are spread."""
    if not waited:
        return Waits(0, 0, 0, 0)
    last = len(waited) - 1
    return Waits(waited[last // 2], waited[last * 99 // 100], waited[-1], len(waited))


def _in_hbase(stack: OwnStack, receipts: dict[str, int]) -> Iterator[float]:
    host, port = stack.settings.thrift
    connection = happybase.Connection(host, port)
    try:
        rows = connection.table(ORDERS_TABLE).scan(
            columns=[f"{FAMILY}:item".encode()], include_timestamp=True, batch_size=_BATCH
        )
        for row, cells in rows:
            at = receipts.get(row.split(b"|")[2].decode())
            if at is not None:
                ((_, stamped),) = cells.values()
                yield (stamped - at) / 1000
    finally:
        connection.close()


def _in_files(stack: OwnStack, receipts: dict[str, int], since_ms: int) -> Iterator[float]:
    hdfs = Hdfs(stack.settings.webhdfs, user="spark")
    found: dict[str, list[tuple[DataName, str, int]]] = {}
    for path, status in hdfs.walk(TRANSACTIONS):
        folder, _, name = path.rpartition("/")
        if (read := read_data_name(name)) is not None:
            found.setdefault(folder, []).append((read, path, status["modificationTime"]))
    for folder, files in found.items():
        batches = sorted((name.epoch, name.batch) for name, _, _ in files)
        # in a merged generation the lowest name is the merge's
        first = 0 if folder.endswith("/g=1") else bisect_right(batches, batches[0])
        unmerged = set(batches[first:])
        for named, path, changed in files:
            if changed >= since_ms and (named.epoch, named.batch) in unmerged:
                rows = pq.read_table(pa.BufferReader(hdfs.read(path)), columns=["order_id"])
                for order in rows["order_id"].to_pylist():
                    if (at := receipts.get(order)) is not None:
                        yield (changed - at) / 1000
