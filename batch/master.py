"""HDFS raw, the master data set -> rows of transactions_cln, by the very `clean` of the stream.

Raw files are read through WebHDFS, open ones included, and handed to Spark as a Parquet file of
lines: Spark's own text source leaves open files out, and takes half a line at an end for one.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
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

LATEST: Final = timedelta(days=1, hours=12)
"""From a date of arrival on: by then its day is over, whatever the zone of Flume's sink."""

_LINES: Final = pa.schema(
    [("value", pa.binary()), ("offset", pa.int64()), ("latest", pa.timestamp("us", "UTC"))]
)


def save_lines(batches: Iterable[pa.Table], path: Path) -> int:
    """Write raw lines (columns line, arrival) into a Parquet file, numbered in their order, each
    with the instant by which it came at the latest; give how many.
    """
    number = 0
    with pq.ParquetWriter(path, _LINES, compression="lz4") as writer:
        for batch in batches:
            if len(batch):
                places = pa.array(range(number, number + len(batch)), pa.int64())
                latest = pc.add(batch["arrival"].cast(pa.timestamp("us")), LATEST)
                columns = [batch["line"], places, latest.cast(pa.timestamp("us", "UTC"))]
                writer.write_table(pa.table(columns, schema=_LINES))
                number += len(batch)
    return number


def rebuilt_rows(
    spark: SparkSession, lines: Path, zone: str, partition_hours: int, dates: Scope
) -> DataFrame:
    """Give the good lines of some business dates: columns KEPT, then `place`, the line's number,
    and `refused`, null; and each line that is none by today's rules, as `refused`.

    A line comes as often as raw has it. It carries no broker time, so it is FUTURE only by its date
    of arrival: neither a row nor refused. The others are told by their verdicts.
    """
    absent = {"topic_id": "string", "partition": "int"}
    read = spark.read.parquet(lines.as_uri()).select(
        "value", "offset", F.col("latest").alias("timestamp"),
        *(F.lit(None).cast(kind).alias(name) for name, kind in absent.items()),
    )  # fmt: skip
    rows = clean(read, zone, partition_hours)
    rows = rows.filter(~F.col("reason").eqNullSafe("FUTURE"))
    is_refused = F.col("reason").isNotNull()
    if dates.first is not None:
        rows = rows.filter(is_refused | (F.col("odr_dt") >= F.lit(dates.first)))
    if dates.last is not None:
        rows = rows.filter(is_refused | (F.col("odr_dt") <= F.lit(dates.last)))
    return rows.select(*KEPT, F.col("kafka_offset").alias("place"), F.col("raw").alias("refused"))
