"""The Spark job that makes customers_cln from a file on HDFS."""

import csv
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from batch.customers import CUSTOMERS, REASONS, clean_customers
from hive.generations import GenerationTable
from pipeline.errors import Refused
from pipeline.generations import number_of
from pipeline.places import CLEAN

STAGING: Final = f"{CLEAN}/customers_staging"
"""What a killed load left here goes with the next one."""
MOST_BROKEN_PERCENT: Final = 5
"""A file with more broken rows than this is refused whole: it is some other file."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A customer file, judged. rejected: broken rows by reason."""

    frame: DataFrame
    rows: int
    rejected: Counter[str]

    @property
    def broken(self) -> int:
        """How many rows are broken."""
        return self.rejected.total()


def read_lines(spark: SparkSession, path: str) -> DataFrame:
    """Give the lines of one file (hdfs://… or file://…), numbered from 1 (schema LINES)."""
    # one partition holds the file from its first to its last line, so its ids are line numbers
    spark.conf.set("spark.sql.files.minPartitionNum", 1)
    spark.conf.set("spark.sql.files.maxPartitionBytes", 1 << 50)
    number = F.monotonically_increasing_id() + 1
    return spark.read.text(path).select(number.alias("line_no"), F.col("value").alias("line"))


def check(lines: DataFrame, name: str, rejected: Path) -> Checked:
    """Clean the lines, write the broken ones' numbers and reasons to a file, and judge.

    Raises Refused for a file without rows and for one with too many broken ones. name is how
    the user knows the file.
    """
    frame = clean_customers(lines).persist()
    counts = {r["reason"]: r["count"] for r in frame.groupBy("reason").count().collect()}
    found = Counter({reason: counts[reason] for reason in REASONS if reason in counts})
    checked = Checked(frame, sum(counts.values()), found)
    if not checked.rows:
        raise Refused(f"{name} has no rows; customers_cln stays as it is.")
    if checked.broken:
        _write_rejected(frame, rejected)
    if checked.broken * 100 > MOST_BROKEN_PERCENT * checked.rows:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in found.items())
        raise Refused(
            f"{name} is refused whole: {checked.broken:,} of {checked.rows:,} rows are broken "
            f"({reasons}), more than {MOST_BROKEN_PERCENT} %. Correct the rows listed in "
            f"{rejected}; customers_cln stays as it is."
        )
    return checked


def publish(frame: DataFrame, table: GenerationTable) -> int:
    """Write the good rows as the table's newest generation; give its number."""
    table.hdfs.delete(STAGING)
    staged = f"{STAGING}/{uuid.uuid4().hex}"
    names = [column.split()[0] for column in CUSTOMERS.split(", ")]
    good = frame.filter(F.col("reason").isNull()).select(names)
    good.coalesce(1).sortWithinPartitions("cust_id").write.parquet(f"{table.uri}{staged}")
    return number_of(table.enter(staged))


def members(frame: DataFrame) -> list[tuple[int, int]]:
    """Give (customer_id, home_store) of the good rows that have a store."""
    good = frame.filter(F.col("reason").isNull() & F.col("home_store").isNotNull())
    found = good.select("cust_id", "home_store").orderBy("cust_id").toArrow()
    return list(zip(found["cust_id"].to_pylist(), found["home_store"].to_pylist(), strict=True))


def _write_rejected(frame: DataFrame, path: Path) -> None:
    """Write line number and reason of each broken row, nothing personal."""
    broken = frame.filter(F.col("reason").isNotNull()).select("line_no", "reason")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="ascii") as stream:
        writer = csv.writer(stream)
        writer.writerow(["line", "reason"])
        writer.writerows(sorted(map(tuple, broken.collect())))
