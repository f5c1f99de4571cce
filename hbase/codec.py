"""Row keys and columns of the HBase table `orders`, back into the order line.

The row key is the line's first five fields as they stand, so a customer's history is one prefix
scan, sorted by time, and a line that comes again overwrites itself. Flume writes the rows
(flume/conf/flume.conf.j2).
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final, NamedTuple

from pipeline.errors import LoyaltyError
from pipeline.order import FUTURE_MS, Fault, OrderLine, parse

COLUMNS: Final = (b"d:store_id", b"d:item", b"d:quantity", b"d:amount", b"d:ref")
"""Fields six to ten, in the order of the line; ref is there and empty where a line has none."""

Cells = Mapping[bytes, bytes]


class Order(NamedTuple):
    """One receipt: all its lines are of one customer, instant and order_id, by position."""

    ordered_at: int
    order_id: str
    lines: tuple[OrderLine, ...]


def to_line(key: bytes, cells: Cells) -> bytes:
    """Turn a row back into its line, without the line end; bytes as stored, nothing is parsed."""
    return b"|".join((key, *(cells.get(column, b"") for column in COLUMNS)))


def to_row(line: bytes) -> tuple[bytes, Cells]:
    """Give the row of a line without its end that has ten fields; the opposite of to_line."""
    *identity, store_id, item, quantity, amount, ref = line.split(b"|")
    return b"|".join(identity), dict(
        zip(COLUMNS, (store_id, item, quantity, amount, ref), strict=True)
    )


def newest_first(customer_id: int, now_ms: int) -> tuple[bytes, bytes]:
    """Give start (included) and stop (excluded) of a customer's reverse scan.

    It begins at the newest instant that is not more than ten minutes ahead of now_ms (epoch
    milliseconds). Instants have 13 digits, so keys sort by time; customer 70 is not in 7's range.
    """
    return f"{customer_id}|{now_ms + FUTURE_MS + 1}".encode(), f"{customer_id}|".encode()


def read_orders(rows: Iterable[tuple[bytes, Cells]]) -> Iterator[Order]:
    """Gather rows, in the order of the keys or reversed, into receipts.

    Raises LoyaltyError for a row that is no order line: Flume writes none.
    """
    lines = (_read(key, cells) for key, cells in rows)
    for (ordered_at, order_id), group in groupby(lines, lambda x: (x.ordered_at, x.order_id)):
        ordered = sorted(group, key=lambda line: (line.line_no, line.event))
        yield Order(ordered_at, order_id, tuple(ordered))


def _read(key: bytes, cells: Cells) -> OrderLine:
    line = parse(to_line(key, cells))
    if isinstance(line, Fault):
        raise LoyaltyError(
            f"HBase has a row that is no order line ({line.reason}): {key!r}; "
            "`./loyalty verify` shows whether other hops have it."
        )
    return line
