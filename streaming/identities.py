"""Duplicates and conflicts: the rows of a batch against each other and against stored ones.

A row's identity is the first five fields of its line, as they stand; the same ten fields under
another offset are a duplicate, other content is a conflict. The lower offset comes first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

IDENTITY: Final = ("cust_id", "ordered_at", "order_id", "line_no", "event")
CONTENT: Final = ("store_id", "odr_menu", "quantity", "amount", "ref")
ORIGIN: Final = ("kafka_topic_id", "kafka_partition", "kafka_offset")
COMPARED: Final = (*IDENTITY, *CONTENT, *ORIGIN)
"""What must be read of a stored row to compare it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of a batch's good rows: each row is in exactly one of the four."""

    fresh: pa.Table
    """To be written."""
    reread: int
    """How many are stored already, under the very same offset."""
    duplicates: int
    """How many say again what another offset has said."""
    conflicts: pa.Table
    """To be quarantined: they contradict a row that came first."""


def compare(rows: pa.Table, stored: pa.Table) -> Compared:
    """Compare a batch's good rows with each other and with stored rows (columns COMPARED).

    stored holds an identity once; what no row of the batch has is ignored there.
    """
    keys, stored_keys = joined(rows, IDENTITY), joined(stored, IDENTITY)
    doubtful = _doubtful(keys, stored_keys)
    places = pc.indices_nonzero(doubtful)
    stored = stored.filter(pc.is_in(stored_keys, value_set=keys))
    first = {key: (content, origin) for key, content, origin in _texts(stored)}
    fresh, conflicts, reread, duplicates = [], [], 0, 0
    few = rows.take(places).append_column("place", places)
    few = few.sort_by([("kafka_offset", "ascending"), ("kafka_partition", "ascending")])
    for place, (key, content, origin) in zip(few["place"].to_pylist(), _texts(few), strict=True):
        known = first.get(key)
        if known is None:
            first[key] = content, origin
            fresh.append(place)
        elif known == (content, origin):
            reread += 1
        elif known[0] == content:
            duplicates += 1
        else:
            conflicts.append(place)
    return Compared(
        fresh=_without(rows, doubtful, fresh),
        reread=reread,
        duplicates=duplicates,
        conflicts=rows.take(pa.array(conflicts, pa.int64())),
    )


def lines(rows: pa.Table) -> list[bytes]:
    """Give the rows' lines, byte for byte: one value has one form."""
    return [line.encode() for line in joined(rows, (*IDENTITY, *CONTENT)).to_pylist()]


def joined(rows: pa.Table, names: tuple[str, ...]) -> pa.Array:
    """Give some columns as a line has them, one text a row."""
    texts = [_text(rows[name].combine_chunks()) for name in names]
    if len(rows) == 0:
        return pa.array([], pa.string())
    return pc.binary_join_element_wise(
        *texts, "|", null_handling="replace", null_replacement=""
    )  # fmt: skip


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        column = pc.divide(column.cast(pa.int64()), 1000)
    return column.cast(pa.string())


def _texts(rows: pa.Table) -> Iterator[tuple[str, str, str]]:
    columns = (joined(rows, names).to_pylist() for names in (IDENTITY, CONTENT, ORIGIN))
    return zip(*columns, strict=True)


def _doubtful(keys: pa.Array, stored_keys: pa.Array) -> pa.Array:
    """Mark the rows whose identity is stored, or comes more than once."""
    counted = pc.value_counts(keys)
    several = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    return pc.is_in(keys, value_set=pa.concat_arrays([stored_keys, several]))


def _without(rows: pa.Table, doubtful: pa.Array, fresh: list[int]) -> pa.Table:
    """Give the rows that are not doubtful, and of the doubtful ones those that came first."""
    keep = pa.concat_arrays([pc.indices_nonzero(pc.invert(doubtful)), pa.array(fresh, pa.uint64())])
    return rows if len(keep) == len(rows) else rows.take(keep)
