"""A point-of-sale export, row by row: what is taken, what is rejected, and why."""

from datetime import datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import Refused
from producer.clock import LocalTime
from producer.receipts import Export, Line, Rejected, read_products
from tests.unit.receipt_rows import HEADER, NEW_YORK, one, read, reason, row, text


def test_a_row_becomes_an_order_line() -> None:
    assert text(row()) == "558|1554134683000|3-20190401-7-1|1|SALE|3|52|1|2.50|\n"
    assert (
        datetime.fromtimestamp(1554134683, tz=NEW_YORK).isoformat() == "2019-04-01T12:04:43-04:00"
    )


def test_a_walk_in_has_no_customer() -> None:
    assert text(row(customer_id="0")).startswith("|1554134683000|")


def test_the_item_is_the_products_name() -> None:
    assert "|SALE|3|Our Blend|" in text(row(), products={"52": "Our Blend"})
    assert reason(row(), products={"5": "x"}) == "product_id 52 is not in the product file"
    assert "FIELDS" in reason(row(), products={"52": "a|b"})
    assert "ITEM" in reason(row(), products={"52": ""})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"line_item_amount": "3"}, "|3.00|"),
        ({"line_item_amount": "2.5"}, "|2.50|"),
        ({"line_item_amount": "0.00"}, "|0.00|"),
        ({"quantity": " 12 "}, "|12|2.50|"),
        ({"sales_outlet_id": '"3"'}, "|SALE|3|"),
    ],
)
def test_what_is_plain_is_taken(changes: dict[str, str], expected: str) -> None:
    assert expected in text(row(**changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"transaction_date": "04/01/2019"}, "transaction_date '04/01/2019' is no YYYY-MM-DD"),
        ({"transaction_date": "2019/04/01"}, "is no YYYY-MM-DD"),
        ({"transaction_date": "1.4.2019"}, "is no YYYY-MM-DD"),
        ({"transaction_date": "2019-02-29"}, "is no YYYY-MM-DD"),
        ({"transaction_date": "9999-12-31"}, "2001 to 2286"),
        ({"transaction_date": "2001-01-01"}, "TIME"),
        ({"transaction_time": "24:00:00"}, "transaction_time"),
        ({"transaction_time": "12:04 PM"}, "transaction_time"),
        ({"transaction_id": "7a"}, "transaction_id '7a' is no plain whole number"),
        ({"transaction_id": "7.0"}, "transaction_id"),
        ({"transaction_id": "9" * 19}, "transaction_id"),
        ({"sales_outlet_id": "O3"}, "sales_outlet_id"),
        ({"sales_outlet_id": "0"}, "STORE"),
        ({"customer_id": "five"}, "customer_id"),
        ({"customer_id": "007"}, "customer_id"),
        ({"customer_id": "-1"}, "customer_id"),
        ({"customer_id": "12345678901"}, "CUSTOMER"),
        ({"line_item_id": "0"}, "LINE_NO"),
        ({"line_item_id": "1000"}, "LINE_NO"),
        ({"product_id": "5x2"}, "product_id"),
        ({"quantity": "two"}, "quantity"),
        ({"quantity": "0"}, "QUANTITY"),
        ({"quantity": "٣"}, "quantity"),
        ({"line_item_amount": "$2.50"}, "line_item_amount"),
        ({"line_item_amount": '"2,50"'}, "line_item_amount"),
        ({"line_item_amount": "2.500"}, "line_item_amount"),
        ({"line_item_amount": "-2.50"}, "line_item_amount"),
        ({"line_item_amount": "NaN"}, "line_item_amount"),
        ({"line_item_amount": "1e3"}, "line_item_amount"),
        ({"order": ""}, "order is empty"),
        ({"customer_id": ""}, "customer_id is empty"),
        ({"line_item_amount": "  "}, "line_item_amount is empty"),
    ],
)
def test_dirt_is_rejected_with_its_reason(changes: dict[str, str], expected: str) -> None:
    assert expected in reason(row(**changes))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "empty row"),
        ("   ", "empty row"),
        (row()[:-2], "13 cells instead of 14"),
        (row() + ",", "15 cells instead of 14"),
        (row(staff_id="\xff").encode("latin-1"), "not UTF-8"),
        (row(staff_id="x" * 70_000), "longer than 65,536 bytes"),
        (row(staff_id="x" * 200_000), "longer than 65,536 bytes"),
        (row(staff_id='"12'), "cells instead of"),
    ],
)
def test_rows_that_are_none(line: str | bytes, expected: str) -> None:
    assert expected in reason(line)


def test_after_dirt_it_goes_on_with_the_next_row() -> None:
    found = read([row(staff_id='"12'), row(quantity="x" * 200_000), row(line_item_id="2"), ""])
    assert [type(each) for each in found] == [Rejected, Rejected, Line, Rejected]
    assert [each.row for each in found] == [2, 3, 4, 5]


def test_a_row_twice() -> None:
    found = read(
        [row(), row(line_item_id="2"), row(), row(line_item_amount="9.99"), row(order="2"),
         row(sales_outlet_id="5"), row(transaction_date="2019-04-02")]
    )  # fmt: skip
    assert [each.reason for each in found if isinstance(each, Rejected)] == [
        "row 2 again", "the receipt line of row 2 with other content",
    ]  # fmt: skip
    assert len([each for each in found if isinstance(each, Line)]) == 5


def test_a_rejected_row_may_come_right_later() -> None:
    assert isinstance(read([row(quantity="x"), row()])[1], Line)


def test_byte_order_mark_and_windows_line_ends() -> None:
    data = b"\xef\xbb\xbf" + f"{HEADER}\r\n{row()}\r\n".encode()
    (found,) = Export(BytesIO(data), "r.csv", LocalTime(NEW_YORK)).rows()
    assert isinstance(found, Line)


def test_columns_may_come_in_another_order_and_unneeded_ones_be_away() -> None:
    names = HEADER.split(",")
    kept = [name for name in reversed(names) if name not in {"staff_id", "unit_price"}]
    cells = dict(zip(names, row().split(","), strict=True))
    assert text(",".join(cells[name] for name in kept), header=",".join(kept)) == text(row())


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("a,b,c", "transaction_id"),
        (HEADER.replace("quantity", "qty"), "no column quantity;"),
        (HEADER.replace(",", ";"), "transaction_id"),
        ("", "transaction_id"),
        (HEADER.replace("staff_id", "quantity"), "quantity twice"),
    ],
)
def test_another_header_is_refused(header: str, named: str) -> None:
    with pytest.raises(Refused, match=named):
        read([row()], header=header)


def test_sixteen_bit_text_is_refused() -> None:
    data = f"{HEADER}\n{row()}\n".encode("utf-16")
    with pytest.raises(Refused, match="UTF-8"):
        Export(BytesIO(data), "r.csv", LocalTime(NEW_YORK))


def test_days_on_which_clocks_change() -> None:
    def at(day: str, time: str, zone: str = "America/New_York") -> str:
        found = one(row(transaction_date=day, transaction_time=time), zone=ZoneInfo(zone))
        if isinstance(found, Rejected):
            return found.reason
        moment = datetime.fromtimestamp(found.order.ordered_at / 1000, tz=ZoneInfo(zone))
        return moment.isoformat()

    assert at("2019-03-10", "01:59:59") == "2019-03-10T01:59:59-05:00"
    assert "clocks left out" in at("2019-03-10", "02:00:00")
    assert "clocks left out" in at("2019-03-10", "02:59:59")
    assert at("2019-03-10", "03:00:00") == "2019-03-10T03:00:00-04:00"
    assert at("2019-11-03", "00:59:59") == "2019-11-03T00:59:59-04:00"
    assert at("2019-11-03", "01:30:00") == "2019-11-03T01:30:00-04:00"
    assert at("2019-11-03", "02:00:00") == "2019-11-03T02:00:00-05:00"
    assert at("2019-11-03", "23:59:59") == "2019-11-03T23:59:59-05:00"
    assert at("2019-03-10", "02:30:00", "Asia/Kolkata") == "2019-03-10T02:30:00+05:30"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("id,name\n1,x\n", "product_id, product"),
        ("product_id,product\n1,x\n1,y\n", "two names for product_id 1"),
        ("product_id,product\n1,\udcff\n", "UTF-8"),
    ],
)
def test_a_product_file_that_is_none(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "p.csv"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(Refused, match=named):
        read_products(path)
