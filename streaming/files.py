"""The Parquet files of transactions_cln and quarantine: schemas, names that tell what is inside.

A name that sorts later was written later. Epochs and batches count from 1 and 0; instants are in
epoch milliseconds (UTC), offsets are Kafka's; both ends are included.
"""

import re
from io import BytesIO
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from streaming.staging import batch_name

INSTANT: Final = pa.timestamp("us", tz="UTC")
GROUP_ROWS: Final = 25_000
"""A comparison decodes only the row groups that can hold its instants."""

TRANSACTIONS: Final = pa.schema(
    [
        ("cust_id", pa.int64()),
        ("odr_menu", pa.string()),
        ("odr_prc", pa.decimal128(12, 2)),
        ("odr_tms", pa.string()),
        ("order_id", pa.string()),
        ("line_no", pa.int32()),
        ("event", pa.string()),
        ("store_id", pa.int32()),
        ("quantity", pa.int32()),
        ("amount", pa.decimal128(12, 2)),
        ("ref", pa.string()),
        ("ordered_at", INSTANT),
        ("ingested_at", INSTANT),
        ("kafka_topic_id", pa.string()),
        ("kafka_partition", pa.int32()),
        ("kafka_offset", pa.int64()),
    ]
)
"""A file of transactions_cln; rows are sorted by ordered_at. Partition columns: odr_dt, odr_hr."""

QUARANTINE: Final = pa.schema(
    [
        ("raw", pa.binary()),
        ("reason", pa.string()),
        ("kafka_topic_id", pa.string()),
        ("kafka_partition", pa.int32()),
        ("kafka_offset", pa.int64()),
        ("seen_at", INSTANT),
    ]
)
"""A file of quarantine; one topic and Kafka partition, sorted by offset. Partition column:
arrival_dt."""

CLEANED: Final = pa.schema(
    [
        *TRANSACTIONS,
        ("odr_dt", pa.date32()),
        ("odr_hr", pa.int32()),
        ("arrival_dt", pa.date32()),
        ("reason", pa.string()),
        ("raw", pa.binary()),
        ("raw_bytes", pa.int32()),
    ]
)
"""A batch as `clean` gives it, in Arrow, without the bytes of long lines. Every column may be null
here: Spark marks some as never null, files do not, and Arrow would not put the two together."""

_DATA: Final = re.compile(r"(\d{4,})-(\d{9,})-(\d{4,})-(\d{13})-(\d{13})\.parquet")
_QUARANTINE: Final = re.compile(r"(\d{4,})-(\d{9,})-(\d{3,})-(\d{12,})-(\d{12,})\.parquet")


class DataName(NamedTuple):
    """Names a file of transactions_cln: low and high are its smallest and largest ordered_at."""

    epoch: int
    batch: int
    sequence: int
    low: int
    high: int

    def text(self) -> str:
        """Give the name: EPOCH-BATCH-SEQ-MIN-MAX.parquet."""
        return (
            f"{batch_name(self.epoch, self.batch)}-{self.sequence:04}"
            f"-{self.low:013}-{self.high:013}.parquet"
        )


class QuarantineName(NamedTuple):
    """Names a file of quarantine: first and last are its smallest and largest offset."""

    epoch: int
    batch: int
    partition: int
    first: int
    last: int

    def text(self) -> str:
        """Give the name: EPOCH-BATCH-PARTITION-FIRST-LAST.parquet."""
        return (
            f"{batch_name(self.epoch, self.batch)}-{self.partition:03}"
            f"-{self.first:012}-{self.last:012}.parquet"
        )


def read_data_name(name: str) -> DataName | None:
    """Read a file's name; None for a foreign one."""
    found = _DATA.fullmatch(name)
    return DataName(*map(int, found.groups())) if found else None


def read_quarantine_name(name: str) -> QuarantineName | None:
    """Read a file's name; None for a foreign one."""
    found = _QUARANTINE.fullmatch(name)
    return QuarantineName(*map(int, found.groups())) if found else None


def encode(rows: pa.Table, schema: pa.Schema) -> bytes:
    """Give the Parquet file of some rows, in the columns of the schema."""
    stream = BytesIO()
    table = rows.select(schema.names).cast(schema)
    # without the Arrow schema: half of a small file, and only Arrow would read it
    pq.write_table(
        table, stream, compression="snappy", store_schema=False, row_group_size=GROUP_ROWS
    )
    return stream.getvalue()
