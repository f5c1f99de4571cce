"""Raw lines through the stream's own `clean`, as a rebuild takes them."""

from datetime import UTC, date, datetime
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


def lines_table(lines: list[bytes], arrival: date = date(2019, 4, 2)) -> pa.Table:
    return pa.table({"line": pa.array(lines, pa.binary()),
                     "arrival": pa.array([arrival] * len(lines), pa.date32())})  # fmt: skip


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


def test_what_came_on_a_date_before_its_own_was_future_then(
    spark: SparkSession, tmp_path: Path
) -> None:
    """The date is over, in the last of all zones, at noon of the next one in UTC. A line that came
    again later counts.
    """
    noon = round(datetime(2019, 4, 3, 12, tzinfo=UTC).timestamp() * 1000)
    lines = [line(1, at=noon + 600_000), line(2, at=noon + 600_001), line(3, at=noon + DAY)]
    first = [text.encode() for text in lines]
    path = tmp_path / "lines.parquet"
    save_lines([lines_table(first), lines_table(first[2:], date(2019, 4, 5))], path)
    made = rebuilt_rows(spark, path, "America/New_York", 24, Scope()).toArrow()
    found = zip(made["order_id"].to_pylist(), made["place"].to_pylist(), strict=True)
    assert sorted(found) == [("A-1", 0), ("A-3", 3)]
    assert made["refused"].null_count == 2


def test_only_the_dates_asked_for(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "lines.parquet"
    lines = [line(1, at=NOON - DAY), line(2), line(3, at=NOON + DAY), line(4, at=FAR_AHEAD)]
    save_lines([lines_table([text.encode() for text in lines], date(2096, 10, 2))], path)

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
