"""The order line (wire format v1), the one truth that every other schema is compared with.

One event is one line of UTF-8 text, ten fields separated by `|`. The rules are those of
the loyalty programme, section 2. Spark's schema and checks (streaming/clean.py), Flume's
regex (flume/conf/flume.conf.j2), the HBase columns (hbase/codec.py) and the Hive columns
(hive/ddl/transactions_cln.sql) are written out where a reader looks for them;
tests/unit/test_order_line.py compares each with this module.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

SEPARATOR: Final = "|"
MAX_LINE_BYTES: Final = 65_536
"""Longer lines are cut here by the Flume agent: Kafka would refuse them for ever (1 MiB)."""

FUTURE_MS: Final = 10 * 60 * 1000
"""How far a till's clock may be ahead of the broker's before its line is quarantined."""


class Field(NamedTuple):
    """One field: its name, the regular expression that all of it matches, the fault's name."""

    name: str
    pattern: str
    reason: str


FIELDS: Final = (
    Field("customer_id", r"(?:[1-9][0-9]{0,9})?", "CUSTOMER"),
    Field("ordered_at", r"[1-9][0-9]{12}", "TIME"),
    Field("order_id", r"[A-Za-z0-9-]{1,40}", "ORDER_ID"),
    Field("line_no", r"[1-9][0-9]{0,2}", "LINE_NO"),
    Field("event", r"SALE|REFUND|REDEEM", "EVENT"),
    Field("store_id", r"[1-9][0-9]{0,5}", "STORE"),
    Field("item", "[^|\x00-\x1f\x7f-\x9f\ufffd]{1,60}", "ITEM"),
    Field("quantity", r"[1-9][0-9]{0,6}", "QUANTITY"),
    Field("amount", r"(?:0|[1-9][0-9]{0,6})\.[0-9]{2}", "AMOUNT"),
    Field("ref", r"[A-Za-z0-9-]{0,40}", "REF"),
)
IDENTITY: Final = ("customer_id", "ordered_at", "order_id", "line_no", "event")
"""The first five fields, as they stand, are the identity of an event and its HBase row key."""

REASONS: Final = ("FIELDS", "ENCODING", *(field.reason for field in FIELDS), "FUTURE", "CONFLICT")
"""Why a line is quarantined; the first that applies, in this order."""

_CHECKS: Final = tuple((f, re.compile(f.pattern)) for f in FIELDS)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One good line. customer_id is None for a walk-in, ref is None unless it is a REFUND.

    ordered_at is in epoch milliseconds (UTC), amount in the programme's currency.
    """

    customer_id: int | None
    ordered_at: int
    order_id: str
    line_no: int
    event: str
    store_id: int
    item: str
    quantity: int
    amount: Decimal
    ref: str | None = None

    def identity(self) -> str:
        """Give the first five fields as they stand on the line: `7|1700000000000|A-1|1|SALE`."""
        customer = "" if self.customer_id is None else str(self.customer_id)
        return f"{customer}|{self.ordered_at}|{self.order_id}|{self.line_no}|{self.event}"

    def text(self) -> str:
        """Give the line without its end. One value has one form, so `parse` undoes this."""
        return (
            f"{self.identity()}|{self.store_id}|{self.item}|{self.quantity}"
            f"|{self.amount:.2f}|{self.ref or ''}"
        )


class Fault(NamedTuple):
    """Why a line is no order line: one of REASONS."""

    reason: str


def _contradicts(name: str, value: str, event: str) -> bool:
    """Tell whether an amount or a ref is one that the event cannot have."""
    if name == "amount":
        return event == "REDEEM" and value != "0.00"
    return name == "ref" and (event == "REFUND") != bool(value)


def parse(line: bytes) -> OrderLine | Fault:
    """Read one line without its end.

    Never raises. FUTURE and CONFLICT need the broker's clock and the other lines: they are
    not decided here.
    """
    if line.count(b"|") != len(FIELDS) - 1:
        return Fault("FIELDS")
    try:
        values = line.decode("utf-8").split(SEPARATOR)
    except UnicodeDecodeError:
        return Fault("ENCODING")
    for value, (field, check) in zip(values, _CHECKS, strict=True):
        if not check.fullmatch(value) or _contradicts(field.name, value, values[4]):
            return Fault(field.reason)
    customer, ordered_at, order_id, line_no, event, store, item, quantity, amount, ref = values
    return OrderLine(
        customer_id=int(customer) if customer else None,
        ordered_at=int(ordered_at),
        order_id=order_id,
        line_no=int(line_no),
        event=event,
        store_id=int(store),
        item=item,
        quantity=int(quantity),
        amount=Decimal(amount),
        ref=ref or None,
    )
