"""Rows of HBase, to and from the order line."""

from decimal import Decimal

import pytest

from hbase.codec import Order, newest_first, read_orders, to_line
from pipeline.errors import LoyaltyError
from pipeline.order import OrderLine, parse
from tests.hbase_rows import to_row

NOW = 1_700_000_000_000


def order_line(
    *, customer_id: int | None = 7, ordered_at: int = NOW, order_id: str = "A-1",
    line_no: int = 1, event: str = "SALE", item: str = "latte", ref: str | None = None,
) -> OrderLine:  # fmt: skip
    return OrderLine(
        customer_id, ordered_at, order_id, line_no, event, 3, item, 2, Decimal("140.00"), ref
    )


@pytest.mark.parametrize(
    "line",
    [
        order_line(),
        order_line(customer_id=None),
        order_line(item="caffè ☕ 中", line_no=999),
        order_line(event="REFUND", ref="A-0"),
    ],
)
def test_a_row_gives_its_line_back_byte_for_byte(line: OrderLine) -> None:
    key, cells = to_row(line)
    assert key.decode() == line.identity()
    assert to_line(key, cells) == line.text().encode()
    assert parse(to_line(key, cells)) == line


def test_bytes_that_are_no_order_line_come_back_as_they_are() -> None:
    cells = {b"d:item": b"\xff\x00", b"d:store_id": b"x", b"d:unknown": b"y"}
    assert to_line(b"key", cells) == b"key|x|\xff\x00|||"


def in_scan(key: str, customer_id: int, now_ms: int) -> bool:
    """Tell whether a reverse scan meets a key."""
    start, stop = newest_first(customer_id, now_ms)
    return stop < key.encode() <= start


@pytest.mark.parametrize(
    ("key", "met"),
    [
        (order_line().identity(), True),
        (order_line(ordered_at=NOW + 600_000).identity(), True),
        (order_line(ordered_at=NOW + 600_001).identity(), False),
        (order_line(ordered_at=1_000_000_000_000).identity(), True),
        (order_line(customer_id=70).identity(), False),
        (order_line(customer_id=6).identity(), False),
        (order_line(customer_id=None).identity(), False),
    ],
)
def test_a_scan_meets_one_customer_up_to_ten_minutes_ahead(key: str, met: bool) -> None:
    assert in_scan(key, 7, NOW) is met


def test_lines_are_gathered_into_receipts_by_position() -> None:
    newest = [order_line(ordered_at=NOW + 1, line_no=n) for n in (9, 2, 11, 10, 1)]
    same_instant = order_line(order_id="A-0")
    older = order_line(ordered_at=NOW - 1)
    orders = list(read_orders(map(to_row, [*newest, order_line(), same_instant, older])))
    assert [(o.ordered_at, o.order_id) for o in orders] == [
        (NOW + 1, "A-1"), (NOW, "A-1"), (NOW, "A-0"), (NOW - 1, "A-1"),
    ]  # fmt: skip
    assert [line.line_no for line in orders[0].lines] == [1, 2, 9, 10, 11]
    assert orders[2] == Order(NOW, "A-0", (same_instant,))


def test_a_row_that_is_no_order_line_is_named() -> None:
    with pytest.raises(LoyaltyError, match="AMOUNT"):
        list(read_orders([(b"7|1700000000000|A|1|SALE", {b"d:store_id": b"3", b"d:item": b"x",
                                                        b"d:quantity": b"1"})]))  # fmt: skip
