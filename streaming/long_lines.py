"""Lines too long to be good: quarantined as any bad line, but their bytes come by themselves.

A batch is bounded by lines: 50,000 of 65,536 bytes are 3 GB, more than driver and JVM have. So
the raw bytes of long lines are left out where the batch is collected (streaming/clean.py), and read
from the topic a file of quarantine at a time.
"""

from collections.abc import Callable, Iterable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import LoyaltyError

LONG_BYTES: Final = 1_000
"""A good line is shorter (docs/till.md), so what is longer has a reason already."""

Fetch = Callable[[int, int, int], Iterable[tuple[int, bytes]]]
"""Gives the lines of a Kafka partition from one offset to another, both included, as (offset, raw
bytes)."""


class LinesGone(LoyaltyError):
    """The topic does not hold a line any more that the batch has."""


def fetch_nothing(_partition: int, _first: int, _last: int) -> Iterable[tuple[int, bytes]]:
    """Give no lines: for a batch that has no long ones."""
    return ()


def put_back(rows: pa.Table, fetch: Fetch) -> pa.Table:
    """Give the rows of one file with the raw bytes that were left out; raises LinesGone."""
    left_out = rows.filter(pc.is_valid(rows["raw_bytes"]))
    sizes = dict(
        zip(left_out["kafka_offset"].to_pylist(), left_out["raw_bytes"].to_pylist(), strict=True)
    )
    if not sizes:
        return rows
    partition, first, last = left_out["kafka_partition"][0].as_py(), min(sizes), max(sizes)
    raws = {offset: raw for offset, raw in fetch(partition, first, last) if offset in sizes}
    if sizes != {offset: len(raw) for offset, raw in raws.items()}:
        raise LinesGone(
            f"The topic has lost or replaced lines of partition {partition} from offset {first:,} "
            f"to {last:,} while they were read; the stream starts again from what it has now."
        )
    offsets, raw = rows["kafka_offset"].to_pylist(), rows["raw"].to_pylist()
    whole = [raws.get(at, short) for at, short in zip(offsets, raw, strict=True)]
    place = rows.schema.get_field_index("raw")
    return rows.set_column(place, rows.schema.field(place), pa.array(whole, pa.binary()))
