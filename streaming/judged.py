"""Lines whose very offset is judged: whatever the rules are by now, verdicts and rows stay.

Spark gives a batch again after a kill, and the whole topic after a lost checkpoint. (A copy of a
row has left no trace of its own: it is judged by the rules of now.)
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import LoyaltyError
from streaming.files import read_data_name, read_quarantine_name
from streaming.identities import ORIGIN
from streaming.ranges import holds_any
from streaming.staging import Record
from streaming.stored import Listing, Reader

Origins = set[tuple[int, int]]
"""Kafka's partition and offset, of lines of one topic."""

_INSTANT: Final = re.compile(rb"[^|]*\|([1-9][0-9]{12})\|")
_DAY: Final = timedelta(days=1)


def are_quarantined(
    rows: pa.Table, record: Record, quarantine: Listing, reader: Reader
) -> pa.Array:
    """Mark the rows (schema CLEANED) whose offset quarantine has."""
    found: Origins = set()
    for day in pc.unique(rows["arrival_dt"]).to_pylist():
        current = quarantine.current(f"arrival_dt={day}")
        for name in current.names:
            path = f"{current.path}/{name}"
            read = read_quarantine_name(name)
            first, last = record.offsets.get(read.partition, (1, 0)) if read else (1, 0)
            if read is not None and first <= read.last and read.first <= last:
                found |= _origins([reader.rows(path)], record.topic_id)
            elif read is None and name[0] not in "._":
                found |= _origins(_foreign_rows(reader, path), record.topic_id)
    return _mark(rows, found)


def _foreign_rows(reader: Reader, path: str) -> list[pa.Table]:
    """Read a file that somebody has put there, perhaps a copy of ours under another name: readers
    see it. One that is none of the table's tells nothing.
    """
    try:
        return [reader.rows(path)]
    except LoyaltyError:
        return []


def are_rows(bad: pa.Table, record: Record, transactions: Listing, reader: Reader) -> pa.Array:
    """Mark the bad lines (schema CLEANED) whose offset transactions_cln has: a rule has become
    stricter since. Only lines that were read before are looked for.
    """
    instants = sorted(
        int(found[1])
        for raw, part, offset in zip(
            *(bad[name].to_pylist() for name in ("raw", *ORIGIN[1:])), strict=True
        )
        if offset < record.reached.get(part, 0) and (found := _INSTANT.match(raw or b""))
    )
    at = list(dict.fromkeys(instants))
    paths = [
        f"{current.path}/{name}"
        for current in map(transactions.current, _partitions(transactions, at))
        for name in current.names
        if (ends := read_data_name(name)) and holds_any(ends.low, ends.high, at)
    ]
    return _mark(bad, _origins(reader.rows_of(paths, at), record.topic_id))


def are_new(rows: pa.Table, record: Record) -> pa.Array:
    """Mark the rows whose line the batch reads for the first time."""
    origins = zip(*(rows[name].to_pylist() for name in ORIGIN[1:]), strict=True)
    return pa.array([off >= record.reached.get(part, 0) for part, off in origins], pa.bool_())


def _partitions(transactions: Listing, at: list[int]) -> Iterable[str]:
    """Name the partitions that can hold instants (epoch ms), whatever the programme's zone."""
    utc = {datetime.fromtimestamp(ms / 1000, tz=UTC).date() for ms in at}
    near = {f"odr_dt={day + away}" for day in utc for away in (-_DAY, timedelta(), _DAY)}
    for day in sorted(near.intersection(transactions.below(""))) if near else ():
        yield from (f"{day}/{block}" for block in transactions.below(day))


def _origins(tables: Iterable[pa.Table], topic_id: str) -> Origins:
    found: Origins = set()
    for table in tables:
        same = table.filter(pc.equal(table["kafka_topic_id"], topic_id))
        found.update(zip(*(same[name].to_pylist() for name in ORIGIN[1:]), strict=True))
    return found


def _mark(rows: pa.Table, found: Origins) -> pa.Array:
    if not found:
        return pa.repeat(False, len(rows))
    origins = zip(*(rows[name].to_pylist() for name in ORIGIN[1:]), strict=True)
    return pa.array([origin in found for origin in origins], pa.bool_())
