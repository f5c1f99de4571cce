"""Rows of quarantine: raw bytes, one reason, where the line came from and when."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from streaming.files import QUARANTINE
from streaming.identities import lines
from streaming.merging import ROW_BYTES, spans

ROWS = pa.schema([*QUARANTINE, ("arrival_dt", pa.date32()), ("raw_bytes", pa.int32())])
"""The columns of the files, the partition column, and the length of raw where it was left out."""
FILE_BYTES: Final = 32 << 20
"""As much a file of one batch holds, and the driver at a time."""


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
    """Split rows (schema ROWS) into (table partition, Kafka partition, rows in offset order), of
    FILE_BYTES at most.
    """
    keys = ("arrival_dt", "kafka_partition")
    for group in (
        rows.group_by(keys).aggregate([]).sort_by([(k, "ascending") for k in keys]).to_pylist()
    ):
        day, number = group["arrival_dt"], group["kafka_partition"]
        mine = pc.and_(pc.equal(rows["arrival_dt"], day), pc.equal(rows["kafka_partition"], number))
        found = rows.filter(mine).sort_by("kafka_offset")
        at = found["kafka_offset"].combine_chunks()
        for low, high in spans(at, _weights(found), FILE_BYTES):
            inside = pc.and_(pc.greater_equal(at, low), pc.less_equal(at, high))
            yield f"arrival_dt={day}", number, found.filter(inside)


def _weights(rows: pa.Table) -> pa.Array:
    sizes = pc.coalesce(rows["raw_bytes"], pc.binary_length(rows["raw"]))
    return pc.add(sizes.cast(pa.int64()), ROW_BYTES).combine_chunks()
