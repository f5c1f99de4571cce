"""Raw lines through the stream's own `clean`, as a rebuild takes them."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from batch.master import KEPT, rebuilt_rows, save_lines
from pipeline.stores.raw import read_lines
from pipeline.verify.scope import Scope
from tests.unit.order_rows import NOON, line, rows

DAY = 86_400_000
FAR_AHEAD = 4_000_000_000_000


def lines_table(lines: list[bytes]) -> pa.Table:
    return pa.table({"line": pa.array(lines, pa.binary())})


def test_raw_becomes_the_rows_that_the_stream_makes(spark: SparkSession, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    good = [line(1), line(2, customer=""), line(1)]
    raw.write_bytes("\n".join([good[0], "bad", good[1], "", good[2], line(3)]).encode())
    # the last one has no line end: it is no line
    path = tmp_path / "lines.parquet"
    assert save_lines(map(lines_table, read_lines(raw)), path) == 5
    made = rebuilt_rows(spark, path, "America/New_York", 24, Scope()).toArrow()
    assert made["place"].to_pylist() == [0, 1, 2, 3, 4]
    assert made["refused"].to_pylist() == [None, b"bad", None, b"", None]
    made = made.filter(made["refused"].is_null())
    assert made.select(KEPT).to_pylist() == rows(*good).select(KEPT).to_pylist()


def test_only_the_dates_asked_for_and_no_line_is_future(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = tmp_path / "lines.parquet"
    lines = [line(1, at=NOON - DAY), line(2), line(3, at=NOON + DAY), line(4, at=FAR_AHEAD)]
    save_lines([lines_table([text.encode() for text in lines])], path)

    def orders(dates: Scope) -> list[str]:
        made = rebuilt_rows(spark, path, "America/New_York", 24, dates)
        return sorted(row["order_id"] for row in made.collect())

    day = date(2019, 4, 1)
    assert orders(Scope()) == ["A-1", "A-2", "A-3", "A-4"]
    assert orders(Scope(day, day)) == ["A-2"]
    assert orders(Scope(first=day)) == ["A-2", "A-3", "A-4"]
    assert orders(Scope(last=day)) == ["A-1", "A-2"]


def test_raw_without_lines_makes_no_rows(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "lines.parquet"
    assert save_lines([], path) == 0
    made = tmp_path / "made"
    rebuilt_rows(spark, path, "UTC", 24, Scope()).write.parquet(made.as_uri())
    assert sum(pq.ParquetFile(file).metadata.num_rows for file in made.glob("*.parquet")) == 0
