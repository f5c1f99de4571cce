"""`orders`: a customer's newest orders, as the till sees them."""

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from pipeline.console import err, out, print_json
from pipeline.endings import leaving
from pipeline.errors import UsageError
from pipeline.order import FIELDS
from pipeline.programme import read_programme
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from hbase.codec import Order


def orders(
    customer_id: Annotated[str, typer.Argument(help="The customer's number.")],
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many orders.")] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON array, one object an order.")
    ] = False,
) -> None:
    """Show a customer's newest orders, straight from HBase.

    Orders that a till dates more than ten minutes ahead are left out.

    Example: ./loyalty orders 7 --last 3
    """
    if not customer_id or not re.fullmatch(FIELDS[0].pattern, customer_id):
        raise UsageError(
            f"{customer_id!r} is no customer number; it has 1 to 10 digits, no zero in front."
        )
    from hbase.table import Tables

    settings = read_settings()
    zone = ZoneInfo(read_programme(settings.programme).time_zone)
    begun = time.perf_counter()
    with leaving(), Tables(*settings.thrift) as tables:
        found = tables.orders(int(customer_id), last, int(time.time() * 1000))
    milliseconds = 1000 * (time.perf_counter() - begun)
    if as_json:
        print_json([_document(order, zone) for order in found])
    elif found:
        _show(found, zone)
    if not found:
        err.print(f"customer {customer_id} has no orders in HBase")
    err.print(f"looked up in {milliseconds:.1f} ms")


def _local(epoch_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC).astimezone(zone)


def _document(order: "Order", zone: ZoneInfo) -> dict[str, Any]:
    """Give an order as JSON: ordered_at in programme time with its offset, amounts as strings."""
    return {
        "order_id": order.order_id,
        "ordered_at": _local(order.ordered_at, zone).isoformat(timespec="milliseconds"),
        "lines": [
            {
                "line_no": line.line_no,
                "event": line.event,
                "store_id": line.store_id,
                "item": line.item,
                "quantity": line.quantity,
                "amount": str(line.amount),
                "ref": line.ref,
            }
            for line in order.lines
        ],
    }


def _show(found: "list[Order]", zone: ZoneInfo) -> None:
    from pipeline.table import Cell, show_table

    columns = ["ordered_at", "order_id", "store", "line", "event", "item", "quantity", "amount"]
    rows: list[list[Cell]] = [
        [f"{_local(order.ordered_at, zone):%Y-%m-%d %H:%M:%S}", order.order_id, line.store_id,
         line.line_no, line.event, line.item, line.quantity, line.amount]
        for order in found
        for line in order.lines
    ]  # fmt: skip
    show_table(columns, rows, out)
