"""HDFS raw, the master data set -> rows of transactions_cln, by the very `clean` of the stream.

Raw files are read through WebHDFS, open ones included, and handed to Spark as a Parquet file of
lines: Spark's own text source leaves open files out, and takes half a line at an end for one.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from pipeline.verify.scope import Scope
from streaming.clean import clean
from streaming.files import TRANSACTIONS
from streaming.identities import ORIGIN

KEPT: Final = (*(n for n in TRANSACTIONS.names if n not in ORIGIN and n != "ingested_at"),
               "odr_dt", "odr_hr")  # fmt: skip
"""The columns that follow from a line: what a rebuild makes and compares."""

_LINES: Final = pa.schema([("value", pa.binary()), ("offset", pa.int64())])


def save_lines(batches: Iterable[pa.Table], path: Path) -> int:
    """Write raw lines (column line) into a Parquet file, numbered in their order; give how many."""
    number = 0
    with pq.ParquetWriter(path, _LINES, compression="lz4") as writer:
        for batch in batches:
            if len(batch):
                places = pa.array(range(number, number + len(batch)), pa.int64())
                writer.write_table(pa.table([batch["line"], places], schema=_LINES))
                number += len(batch)
    return number


def rebuilt_rows(
    spark: SparkSession, lines: Path, zone: str, partition_hours: int, dates: Scope
) -> DataFrame:
    """Give the good lines of some business dates: columns KEPT, then `place`, the line's number,
    and `refused`, null; and each line that is none by today's rules, as `refused`.

    A line comes as often as raw has it. It carries no broker time, so none is FUTURE here.
    """
    absent = {"topic_id": "string", "partition": "int", "timestamp": "timestamp"}
    read = spark.read.parquet(lines.as_uri()).select(
        "value", "offset", *(F.lit(None).cast(kind).alias(name) for name, kind in absent.items())
    )
    rows = clean(read, zone, partition_hours)
    is_refused = F.col("reason").isNotNull()
    if dates.first is not None:
        rows = rows.filter(is_refused | (F.col("odr_dt") >= F.lit(dates.first)))
    if dates.last is not None:
        rows = rows.filter(is_refused | (F.col("odr_dt") <= F.lit(dates.last)))
    return rows.select(*KEPT, F.col("kafka_offset").alias("place"), F.col("raw").alias("refused"))
