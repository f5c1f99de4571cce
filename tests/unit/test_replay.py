"""`replay`: a real week to the cent, and dirty exports row by row."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import Refused
from pipeline.order import OrderLine, parse
from pipeline.places import Places
from pipeline.settings import ROOT
from producer.clock import LocalTime
from producer.receipts import Export, Line, Rejected, read_products
from producer.replay import RejectedRows

DATA = ROOT.parent / "shared" / "data"
RECEIPTS = DATA / "receipts-2019-04-01-to-05.csv"
PRODUCTS = DATA / "products.csv"
NEW_YORK = ZoneInfo("America/New_York")
HEADER = (
    "transaction_id,transaction_date,transaction_time,sales_outlet_id,staff_id,customer_id,"
    "instore_yn,order,line_item_id,product_id,quantity,line_item_amount,unit_price,promo_item_yn"
)
GOOD = "7,2019-04-01,12:04:43,3,12,558,N,1,1,52,1,2.50,2.50,N"
COMMAND = (
    "import typer; from pipeline.commands.replay import replay;"
    "app = typer.Typer(); app.command()(replay); app()"
)


def row(**changes: str) -> str:
    """Give a good row with some cells changed."""
    cells = dict(
        zip(
            HEADER.split(","),
            GOOD.split(","),
            strict=True,
        )
    )
    return ",".join((cells | changes).values())


def read(
    rows: Iterable[str | bytes],
    header: str = HEADER,
    products: dict[str, str] | None = None,
    zone: ZoneInfo = NEW_YORK,
) -> list[Line | Rejected]:
    """Read an export of these rows."""
    lines = [line if isinstance(line, bytes) else line.encode() for line in (header, *rows)]
    export = Export(BytesIO(b"\n".join(lines) + b"\n"), "r.csv", LocalTime(zone), products)
    return list(export.rows())


def one(line: str | bytes, **more: object) -> Line | Rejected:
    (found,) = read([line], **more)  # type: ignore[arg-type]
    return found


def text(line: str, **more: object) -> str:
    """Give the order line of a good row."""
    found = one(line, **more)
    assert isinstance(found, Line), found
    return found.text.decode()


def reason(line: str | bytes, **more: object) -> str:
    """Give why a row is rejected."""
    found = one(line, **more)
    assert isinstance(found, Rejected), found
    return found.reason


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=ROOT, env=os.environ | {"LOYALTY_DATA": str(data)}, capture_output=True, check=True,
    )  # fmt: skip


def log_of(data: Path) -> list[bytes]:
    return [
        line for path in sorted(Places(data).order_log.iterdir())
        for line in path.read_bytes().splitlines()
    ]  # fmt: skip


def test_a_real_week_to_the_cent(tmp_path: Path) -> None:
    assert RECEIPTS.exists(), f"this test needs {RECEIPTS}, the trial data beside the project"
    arguments = (str(RECEIPTS), "--products", str(PRODUCTS), "--json")
    report = json.loads(run(tmp_path, *arguments).stdout)
    assert (report["rows"], report["lines"], report["rejected"]) == (8203, 8203, 0)
    assert report["amount"] == "36515.05"
    assert report["rejected_file"] is None
    assert not (tmp_path / "rejected").exists()
    lines = log_of(tmp_path)
    orders = [order for line in lines if isinstance(order := parse(line), OrderLine)]
    assert len(orders) == 8203
    assert sum(o.amount for o in orders) == Decimal("36515.05")
    assert sum(o.amount for o in orders if o.customer_id) == Decimal("36502.05")
    assert len({o.identity() for o in orders}) == 8203
    run(tmp_path, *arguments)
    again = log_of(tmp_path)
    assert again == lines + lines


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


def test_rejected_rows_are_kept_one_by_one_and_counted(tmp_path: Path) -> None:
    export = tmp_path / "dirty.csv"
    bad = row(staff_id="\xff", quantity='"a,b"').encode("latin-1")
    export.write_bytes("\n".join([HEADER, row(), row(), ""]).encode() + bad + b"\n")
    rejected = tmp_path / "rejected.csv"
    data = tmp_path / "var"
    done = run(data, str(export), "--rejected", str(rejected))
    assert done.stdout == b""
    assert b"1 lines, 2.50 in all" in done.stderr
    assert b"2 rows rejected" in done.stderr
    with rejected.open(newline="", encoding="utf-8", errors="surrogateescape") as stream:
        header, again, broken = csv.reader(stream)
    assert header == ["row", "reason", "raw"]
    assert again == ["3", "row 2 again", row()]
    assert broken[:2] == ["4", "not UTF-8"]
    assert broken[2].encode("utf-8", "surrogateescape") == bad
    assert len(log_of(data)) == 1


def test_rejected_rows_go_into_the_data_folder_by_default(tmp_path: Path) -> None:
    export = tmp_path / "dirty.csv"
    export.write_text(f"{HEADER}\n{row(quantity='x')}\n")
    report = json.loads(run(tmp_path, str(export), "--json").stdout)
    (file,) = (tmp_path / "rejected").iterdir()
    assert report["rejected_file"] == str(file)
    assert file.name.startswith("dirty-")


def test_a_file_of_rejected_rows_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    path.touch()
    with RejectedRows(path) as rejects, pytest.raises(Refused, match="there already"):
        rejects.write(Rejected(2, "empty row", b""))


def test_another_time_zone(tmp_path: Path) -> None:
    export = tmp_path / "r.csv"
    export.write_text(f"{HEADER}\n{row()}\n")
    run(tmp_path, str(export), "--time-zone", "UTC")
    (line,) = log_of(tmp_path)
    assert line.startswith(b"558|1554120283000|")


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
