"""`clean` against its plain-Python twin `parse`, and against hand-made cases."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import SparkSession

from pipeline.order import FIELDS, FUTURE_MS, REASONS, Fault, OrderLine, parse
from streaming.clean import CHECKS, CLEAN, LINES, clean
from tests.unit.nasty import GOOD, nasty_lines

ZONE = "America/New_York"
APPENDED = datetime(2019, 4, 1, 16, 0, tzinfo=UTC)


def cleaned(
    spark: SparkSession,
    lines: list[bytes | None],
    *,
    appended: datetime | None = APPENDED,
    zone: str = ZONE,
    hours: int = 24,
) -> list[dict[str, Any]]:
    """Clean lines that the broker appended at one time, as offsets 0, 1, …, in that order."""
    rows = [(line, "topic", 1, at, appended) for at, line in enumerate(lines)]
    table = clean(spark.createDataFrame(rows, LINES), zone, hours).toArrow()
    return sorted(table.to_pylist(), key=lambda row: int(row["kafka_offset"]))


def wanted(line: bytes, offset: int, hours: int) -> dict[str, Any]:
    """Give what `parse` and plain Python make of a line."""
    parsed = parse(line)
    row = dict.fromkeys(name.split()[0] for name in CLEAN.split(", "))
    row |= {"ingested_at": APPENDED, "kafka_topic_id": "topic", "kafka_partition": 1}
    row |= {"kafka_offset": offset, "arrival_dt": date(2019, 4, 1)}
    if isinstance(parsed, Fault):
        return row | {"reason": parsed.reason, "raw": line}
    if parsed.ordered_at - APPENDED.timestamp() * 1000 > FUTURE_MS:
        return row | {"reason": "FUTURE", "raw": line}
    return row | _columns(parsed, hours)


def _columns(order: OrderLine, hours: int) -> dict[str, Any]:
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=order.ordered_at)
    local = instant.astimezone(ZoneInfo(ZONE))
    return {
        "cust_id": order.customer_id,
        "odr_menu": order.item,
        "odr_prc": -order.amount if order.event == "REFUND" else order.amount,
        "odr_tms": local.strftime("%d-%m-%Y %H:%M:%S"),
        "order_id": order.order_id,
        "line_no": order.line_no,
        "event": order.event,
        "store_id": order.store_id,
        "quantity": order.quantity,
        "amount": order.amount,
        "ref": order.ref,
        "ordered_at": instant,
        "odr_dt": local.date(),
        "odr_hr": local.hour // hours * hours,
    }


@pytest.mark.parametrize(("seed", "hours"), [(1, 24), (2, 6)])
def test_clean_is_parse(spark: SparkSession, seed: int, hours: int) -> None:
    lines = nasty_lines(seed, 4000)
    rows = cleaned(spark, list(lines), hours=hours)
    assert len(rows) == len(lines)
    for offset, (line, row) in enumerate(zip(lines, rows, strict=True)):
        assert row == wanted(line, offset, hours), line[:200]
    # the lines are nasty enough: each reason but CONFLICT is there, and good lines too
    assert {row["reason"] for row in rows} == {None, *REASONS} - {"CONFLICT"}


def test_null_is_an_empty_line(spark: SparkSession) -> None:
    row, empty = cleaned(spark, [None, b""])
    assert (row["reason"], row["raw"]) == ("FIELDS", b"")
    assert (empty["reason"], empty["raw"]) == ("FIELDS", b"")


def test_ten_minutes_ahead_are_good_and_more_are_not(spark: SparkSession) -> None:
    at = int(APPENDED.timestamp() * 1000) + FUTURE_MS
    lines = [GOOD.replace("1554120000000", str(t)).encode() for t in (at, at + 1)]
    assert [row["reason"] for row in cleaned(spark, list(lines))] == [None, "FUTURE"]
    # a line without the broker's time is never FUTURE
    assert [r["reason"] for r in cleaned(spark, list(lines), appended=None)] == [None, None]


def test_dates_are_the_programmes(spark: SparkSession) -> None:
    late = datetime(2019, 4, 2, 3, 59, tzinfo=UTC)
    line = GOOD.replace("1554120000000", str(int(late.timestamp() * 1000)))
    (row,) = cleaned(spark, [line.encode()], appended=late)
    assert (row["odr_dt"], row["arrival_dt"]) == (date(2019, 4, 1), date(2019, 4, 1))
    assert (row["odr_tms"], row["odr_prc"]) == ("01-04-2019 23:59:00", Decimal("140.00"))
    (row,) = cleaned(spark, [line.encode()], appended=late, zone="Asia/Bangkok")
    assert (row["odr_dt"], row["odr_tms"]) == (date(2019, 4, 2), "02-04-2019 10:59:00")


def test_schema_is_as_written(spark: SparkSession) -> None:
    frame = clean(spark.createDataFrame([], LINES), ZONE, 24)
    written = spark.createDataFrame([], CLEAN).schema
    assert [(f.name, f.dataType) for f in frame.schema] == [(f.name, f.dataType) for f in written]


def test_checks_name_the_fields_of_the_order_line() -> None:
    assert [(name, fault) for name, _, fault in CHECKS] == [(f.name, f.reason) for f in FIELDS]
