"""The rate that the running producer keeps, measured in the order log itself."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from producer.log import files
from producer.orders import DEMO

MINUTE_MS: Final = 60_000
ORDERS: Final = 11
"""Ten steps from one order to the next."""
_BLOCK: Final = 65_536
_MOST_BYTES: Final = 4 << 20
"""What is read in all; above some 1,000 orders a second the window is shorter than a minute."""
_DEMO: Final = DEMO.encode()

Order = tuple[int, bytes]


def measured_rate(order_log: Path, now_ms: int, since_ms: int = 0) -> float | None:
    """Give orders a second, from one order to the next, over a minute or ten, whichever is longer.

    Only orders of the running producer since `since_ms` (epoch ms, as the last change of the rate)
    count: replays, `produce` and real tills write into the same folder. 0.0 when it has been silent
    for much longer than its steps; None where there are not yet two orders. Reads tails only.
    """
    orders = sorted(order for order in _tail(order_log, now_ms) if order[0] >= since_ms)
    window = [order for order in orders if order[0] >= now_ms - MINUTE_MS]
    if len(window) < ORDERS:
        window = orders[-ORDERS:]
    if len(window) < 2:
        return None
    first, last = window[0][0], window[-1][0]
    steps = len(window) - 1
    if now_ms - last > max(MINUTE_MS, 3 * (last - first) / steps):
        return 0.0
    return steps * 1000 / max(last - first, 1)


def _tail(order_log: Path, now_ms: int) -> set[Order]:
    """Collect (instant, order id) of the last minute, or of the last orders where these are few."""
    orders: set[Order] = set()
    if not order_log.is_dir():
        return orders
    left = _MOST_BYTES
    for changed, path in sorted(_changed(order_log), reverse=True):
        if len(orders) >= ORDERS and changed < now_ms - MINUTE_MS:
            break
        for block in _blocks_backwards(path):
            found = _orders(block)
            orders |= found
            left -= len(block)
            # a file has one writer: without an invented order at its end it has none
            if not found or left <= 0:
                break
            # and its orders are in the order of time
            if len(orders) >= ORDERS and min(found)[0] < now_ms - MINUTE_MS:
                break
        if left <= 0:
            break
    return orders


def _changed(order_log: Path) -> Iterator[tuple[float, Path]]:
    """Give each file with the time of its last line, in epoch milliseconds."""
    for path in files(order_log):
        with suppress(FileNotFoundError):  # swept meanwhile
            yield path.stat().st_mtime * 1000, path


def _orders(block: bytes) -> set[Order]:
    return {
        (int(fields[1]), fields[2])
        for line in block.split(b"\n")
        if len(fields := line.split(b"|", 3)) == 4
        and fields[2].startswith(_DEMO)
        and fields[1].isdigit()
    }


def _blocks_backwards(path: Path) -> Iterator[bytes]:
    """Give the whole lines of a file, from its end, in blocks of about 64 KiB."""
    with path.open("rb") as stream:
        start = stream.seek(0, 2)
        rest = b""
        while start > 0:
            size = min(_BLOCK, start)
            start -= size
            stream.seek(start)
            block = stream.read(size) + rest
            cut = block.find(b"\n") + 1 if start > 0 else 0
            rest = block[:cut]
            yield block[cut:]
