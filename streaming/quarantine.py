"""Rows of quarantine: raw bytes, one reason, where the line came from and when."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from streaming.files import QUARANTINE
from streaming.identities import lines

ROWS = pa.schema([*QUARANTINE, ("arrival_dt", pa.date32())])
"""The columns of the files and the partition column."""


def faults_of(rows: pa.Table) -> pa.Table:
    """Give the quarantine rows (schema ROWS) of lines that have a reason (schema CLEAN)."""
    return rows.rename_columns({"ingested_at": "seen_at"}).select(ROWS.names).cast(ROWS)


def conflicts_of(rows: pa.Table) -> pa.Table:
    """Give the quarantine rows (schema ROWS) of good lines that contradict an earlier one."""
    raw = pa.array(lines(rows), pa.binary())
    reason = pa.repeat(pa.scalar("CONFLICT"), len(rows))
    rows = rows.drop_columns(["raw", "reason"])
    return faults_of(rows.append_column("raw", raw).append_column("reason", reason))


def by_file(rows: pa.Table) -> Iterator[tuple[str, int, pa.Table]]:
    """Split rows (schema ROWS) into (table partition, Kafka partition, rows in offset order)."""
    keys = ("arrival_dt", "kafka_partition")
    for group in (
        rows.group_by(keys).aggregate([]).sort_by([(k, "ascending") for k in keys]).to_pylist()
    ):
        day, number = group["arrival_dt"], group["kafka_partition"]
        mine = pc.and_(pc.equal(rows["arrival_dt"], day), pc.equal(rows["kafka_partition"], number))
        yield f"arrival_dt={day}", number, rows.filter(mine).sort_by("kafka_offset")
