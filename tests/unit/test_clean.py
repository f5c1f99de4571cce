"""`clean` against its plain-Python twin `parse`, and against hand-made cases."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import SparkSession

from pipeline.order import FIELDS, FUTURE_MS, REASONS, Fault, OrderLine, parse
from streaming import clean as module
from streaming.clean import CHECKS, CLEAN, LINES, clean

ZONE = "America/New_York"
APPENDED = datetime(2019, 4, 1, 16, 0, tzinfo=UTC)
GOOD = "7|1554120000000|A-1|1|SALE|3|latte|2|140.00|"

NASTY: dict[str, list[str]] = {
    "customer_id": ["", "7", "07", "0", "9999999999", "10000000000", "7a", "٧", "７", " 7", "-7"],
    "ordered_at": ["1554120000000", "1554120000", "15541200000000", "0554120000000", "NaN", ""],
    "order_id": ["A-1", "", "a" * 40, "a" * 41, "A_1", "Ä1", "A 1", "../x", "A-1\r"],
    "line_no": ["1", "999", "1000", "0", "01", "", "1.0", "+1"],
    "event": ["SALE", "REFUND", "REDEEM", "sale", "SALE ", "", "VOID", "SALE\n"],
    "store_id": ["3", "999999", "1000000", "0", "03", "", "x"],
    "item": [
        "latte", "", "x" * 60, "x" * 61, "😀" * 60, "😀" * 61, "é", "e\u0301", "a\x00b", "a\x1fb",
        "a\x7fb", "a\x80b", "a\x85b", "a\x9fb", "\xa0", "a\u2028b", "\ufffd", "\ufeff", "\u200b",
        "\u202e", "a\tb", "a\rb", "a\nb", "=1+1", "${jndi:ldap://x}", "%{x}", "'; --", "\U0010ffff",
    ],
    "quantity": ["1", "9999999", "10000000", "0", "01", "-1", "", "1e3"],
    "amount": ["0.00", "0.50", "9999999.99", "10000000.00", "07.50", "1,50", "1.5", "1.500",
               "-1.00", ".50", "1", "NaN", "1.00\n", ""],
    "ref": ["", "A-1", "a" * 40, "a" * 41, "\r", "\n", "A_1", " "],
}  # fmt: skip
BYTES = [
    b"", b" ", b"|", b"|||||||||", b"||||||||||", b"\xff", b"\xef\xbb\xbf" + GOOD.encode(), b"\x00",
    GOOD.encode() + b"\r", GOOD.encode() + b"\n", GOOD.encode() + b"\r\n", b"x" * 300_000,
    GOOD.encode().replace(b"latte", b"\xe2|"), GOOD.encode("utf-16"), GOOD.encode() + b"|",
    *(GOOD.encode().replace(b"latte", bad) for bad in (
        b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"a\xe2", b"\x80",
        b"\xf0\x9f\x98", b"\xed\xb0\x80", b"\xc3\xa9", b"\xf8\x88\x80\x80\x80", b"\xe0\x80\xaf",
    )),
    *(GOOD.encode().replace(b"A-1", bad) for bad in (b"\xff", b"\xe2|\x82", b"A\x00")),
    *(GOOD.encode()[:cut] for cut in range(len(GOOD))),
]  # fmt: skip


def nasty_lines(seed: int, count: int) -> list[bytes]:
    """Give hand-made lines and `count` lines of which most have one or two fields made to fail."""
    chance = random.Random(seed)
    lines = list(BYTES)
    for name, values in NASTY.items():
        for value in values:
            lines.append(_line(chance, {name: value}))
            lines.append(_line(chance, {name: value, "event": "REFUND", "ref": "A-1"}))
            lines.append(_line(chance, {name: value, "event": "REDEEM", "amount": "0.00"}))
    while len(lines) < count:
        names = chance.sample(list(NASTY), chance.choice((0, 1, 1, 2, 3, 10)))
        line = bytearray(_line(chance, {name: chance.choice(NASTY[name]) for name in names}))
        if chance.random() < 0.2:
            line[chance.randrange(len(line))] = chance.randrange(256)
        lines.append(bytes(line))
    return lines


def _line(chance: random.Random, changes: dict[str, str]) -> bytes:
    event = changes.get("event", chance.choice(("SALE", "REFUND", "REDEEM")))
    values = dict(zip(NASTY, GOOD.split("|"), strict=True)) | {"event": event}
    values["amount"] = "0.00" if event == "REDEEM" else "140.00"
    values["ref"] = "A-1" if event == "REFUND" else ""
    # across both days of a change to and from daylight saving time
    start = chance.choice((1552176000000, 1572739200000, 1554120000000))
    values["ordered_at"] = str(start + chance.randrange(90_000_000))
    return "|".join((values | changes).values()).encode()


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
    assert module.FUTURE_MS == FUTURE_MS
