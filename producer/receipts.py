"""A point-of-sale export, row by row, as order lines; what is dirty comes out with its reason.

One row is one line of the file: a quotation mark that is never closed spoils its own row only.
Cells are trimmed; nothing else is guessed. What one reader would take for the 4th of May and the
next for the 5th of April is rejected, and so is every number that is not written plainly.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import IO, Final, NamedTuple

from pipeline.errors import Refused
from pipeline.order import Fault, OrderLine, parse
from producer.clock import LocalTime
from producer.seen import Seen

COLUMNS: Final = (
    "transaction_id", "transaction_date", "transaction_time", "sales_outlet_id", "customer_id",
    "order", "line_item_id", "product_id", "quantity", "line_item_amount",
)  # fmt: skip
"""What a row must have. Other columns of the export are not needed and may be missing."""

MOST_BYTES: Final = 65_536
"""A longer row is rejected; it bounds the memory as well."""

_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,6})(?:\.([0-9]{1,2}))?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")


class Rejected(NamedTuple):
    """A row that is no receipt line: why, in words, and its bytes without the line end."""

    row: int
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Line:
    """A good row: its number (the header is row 1), and the order line that it makes."""

    row: int
    order: OrderLine
    text: bytes
    """The order line with its end, as it is written."""


class _Dirt(Exception):
    """Why a row is rejected."""


class Export:
    """An opened export, positioned behind its header.

    `stream` gives the file's bytes; `local` turns its local times into instants; `products` names
    the items by product_id, None to use the id itself. Raises Refused for another header.
    """

    def __init__(
        self,
        stream: IO[bytes],
        name: str,
        local: LocalTime,
        products: Mapping[str, str] | None = None,
    ) -> None:
        self._stream = stream
        self._local = local
        self._products = products
        header = stream.readline(MOST_BYTES).rstrip(b"\r\n").decode("utf-8-sig", "replace")
        try:
            cells = [cell.strip() for cell in _cells(header)]
        except _Dirt:
            cells = []
        check_columns(name, cells, COLUMNS)
        self._width = len(cells)
        self._places = [cells.index(column) for column in COLUMNS]

    def rows(self) -> Iterator[Line | Rejected]:
        """Give every row after the header, each as a good line or with its reason, in order."""
        with Seen() as seen:
            for row, raw in enumerate(_raw_rows(self._stream), start=2):
                try:
                    yield self._line(row, raw, seen)
                except _Dirt as dirt:
                    yield Rejected(row, str(dirt), raw)

    def _line(self, row: int, raw: bytes, seen: Seen) -> Line:
        values = self._values(raw)
        transaction, day, time, outlet, customer, order, number, product, quantity, amount = values
        key = tuple(
            _number(name, text)
            for name, text in (
                ("sales_outlet_id", outlet), ("transaction_id", transaction), ("order", order),
                ("line_item_id", number),
            )
        )  # fmt: skip
        business_date = _date(day)
        line = OrderLine(
            customer_id=_number("customer_id", customer) or None,
            ordered_at=self._instant(business_date, time),
            order_id=f"{outlet}-{business_date:%Y%m%d}-{transaction}-{order}",
            line_no=key[3],
            event="SALE",
            store_id=key[0],
            item=self._item(product),
            quantity=_number("quantity", quantity),
            amount=_amount(amount),
        )
        text = line.text().encode()
        if isinstance(fault := parse(text), Fault):
            raise _Dirt(f"makes no good order line ({fault.reason})")
        first = seen.first((key[0], business_date.toordinal(), *key[1:]), row, raw)
        if first is not None:
            raise _Dirt(
                f"row {first.row:,} again"
                if first.same
                else f"the receipt line of row {first.row:,} with other content"
            )
        return Line(row, line, text + b"\n")

    def _values(self, raw: bytes) -> list[str]:
        if len(raw) > MOST_BYTES:
            raise _Dirt(f"longer than {MOST_BYTES:,} bytes")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise _Dirt("not UTF-8") from None
        if not text.strip():
            raise _Dirt("empty row")
        cells = _cells(text)
        if len(cells) != self._width:
            raise _Dirt(f"{len(cells)} cells instead of {self._width}")
        values = [cells[place].strip() for place in self._places]
        for name, value in zip(COLUMNS, values, strict=True):
            if not value:
                raise _Dirt(f"{name} is empty")
        return values

    def _instant(self, day: date, text: str) -> int:
        if not _TIME.fullmatch(text):
            raise _Dirt(f"transaction_time {text!r} is no HH:MM:SS")
        seconds = int(text[:2]) * 3600 + int(text[3:5]) * 60 + int(text[6:])
        instant = self._local.epoch_ms(day, seconds)
        if instant is None:
            raise _Dirt(
                f"{day} {text} is in the hour that clocks left out in {self._local.zone.key}"
            )
        return instant

    def _item(self, product: str) -> str:
        _number("product_id", product)
        if self._products is None:
            return product
        if product not in self._products:
            raise _Dirt(f"product_id {product} is not in the product file")
        return self._products[product]


def read_products(path: Path) -> dict[str, str]:
    """Read the products' names by product_id; raises Refused for a file that is none."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            check_columns(path.name, list(reader.fieldnames or ()), ("product_id", "product"))
            products: dict[str, str] = {}
            for row in reader:
                product, name = (row["product_id"] or "").strip(), row["product"] or ""
                if products.setdefault(product, name) != name:
                    raise Refused(
                        f"{path.name} has two names for product_id {product}, in line"
                        f" {reader.line_num:,} the second; leave one in the file."
                    )
            return products
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path.name} is no CSV in UTF-8 ({error}); export it again.") from error


def check_columns(name: str, found: list[str], wanted: tuple[str, ...]) -> None:
    """Raise Refused unless a header has each wanted column once."""
    if missing := [column for column in wanted if column not in found]:
        raise Refused(
            f"{name} has no column {', '.join(missing)}; its first line must name the columns"
            " of the export, separated by commas, in UTF-8."
        )
    if doubled := [column for column in wanted if found.count(column) > 1]:
        raise Refused(
            f"{name} names the column {', '.join(doubled)} twice; leave one of them in the file."
        )


def _raw_rows(stream: IO[bytes]) -> Iterator[bytes]:
    """Give each row without its end; of one that is too long as much as shows that it is."""
    while raw := stream.readline(MOST_BYTES + 2):
        rest = raw
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(MOST_BYTES)
        yield raw.rstrip(b"\r\n")


def _cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error as error:
        raise _Dirt(f"no CSV ({error})") from error


def _number(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise _Dirt(f"{name} {text!r} is no plain whole number")
    return int(text)


def _amount(text: str) -> Decimal:
    if not (match := _AMOUNT.fullmatch(text)):
        raise _Dirt(f"line_item_amount {text!r} is no amount like 2.50")
    return Decimal(f"{match[1]}.{(match[2] or '').ljust(2, '0')}")


def _date(text: str) -> date:
    # the years that an order line's 13 digits of milliseconds can hold
    try:
        if _DATE.fullmatch(text) and "2001" <= text[:4] <= "2286":
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _Dirt(f"transaction_date {text!r} is no YYYY-MM-DD from 2001 to 2286")
