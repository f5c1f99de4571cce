"""Rows of a point-of-sale export for tests, and what the reader makes of them."""

from collections.abc import Iterable
from io import BytesIO
from zoneinfo import ZoneInfo

from producer.clock import LocalTime
from producer.receipts import Export, Line, Rejected

NEW_YORK = ZoneInfo("America/New_York")
HEADER = (
    "transaction_id,transaction_date,transaction_time,sales_outlet_id,staff_id,customer_id,"
    "instore_yn,order,line_item_id,product_id,quantity,line_item_amount,unit_price,promo_item_yn"
)
GOOD = "7,2019-04-01,12:04:43,3,12,558,N,1,1,52,1,2.50,2.50,N"


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
