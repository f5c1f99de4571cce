"""Builds the rows that `clean` gives, for tests of the writer: a test names what matters to it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import pyarrow as pa

from pipeline.order import Fault, parse
from streaming.files import CLEANED

ZONE: Final = ZoneInfo("America/New_York")
NOON: Final = 1_554_134_400_000
"""2019-04-01 12:00 in New York, epoch milliseconds."""
APPENDED: Final = datetime(2019, 4, 1, 20, 0, tzinfo=UTC)
_NEVER_NULL: Final = ("ingested_at", "kafka_topic_id", "kafka_partition", "kafka_offset")
SCHEMA: Final = pa.schema(
    [column.with_nullable(column.name not in _NEVER_NULL) for column in CLEANED]
)
"""What `clean` gives, as Spark hands it over: some columns are marked as never null."""


def line(number: int = 1, *, at: int = NOON, customer: int | str = 7, amount: str = "70.00") -> str:
    """Give the SALE line of order A-NUMBER."""
    return f"{customer}|{at}|A-{number}|1|SALE|3|latte|1|{amount}|"


def rows(
    *lines: str | tuple[int, str], topic: str = "t", partition: int = 0, first: int = 0
) -> pa.Table:
    """Give the rows of lines at the offsets first, first + 1, …, or where a tuple says."""
    made, offset = [], first - 1
    for one in lines:
        offset, text = one if isinstance(one, tuple) else (offset + 1, one)
        made.append(_row(text.encode()) | {"kafka_topic_id": topic, "kafka_partition": partition,
                                           "kafka_offset": offset})  # fmt: skip
    return pa.Table.from_pylist(made, SCHEMA)


def _row(raw: bytes) -> dict[str, Any]:
    row = dict.fromkeys(SCHEMA.names)
    row |= {"ingested_at": APPENDED, "arrival_dt": date(2019, 4, 1)}
    order = parse(raw)
    if isinstance(order, Fault):
        return row | {"raw": raw, "reason": order.reason}
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=order.ordered_at)
    local = instant.astimezone(ZONE)
    sign = Decimal(-1 if order.event == "REFUND" else 1)
    return row | {
        "cust_id": order.customer_id, "odr_menu": order.item, "odr_prc": sign * order.amount,
        "odr_tms": local.strftime("%d-%m-%Y %H:%M:%S"), "order_id": order.order_id,
        "line_no": order.line_no, "event": order.event, "store_id": order.store_id,
        "quantity": order.quantity, "amount": order.amount, "ref": order.ref,
        "ordered_at": instant, "odr_dt": local.date(), "odr_hr": 0,
    }  # fmt: skip
