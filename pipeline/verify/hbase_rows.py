"""HBase's table `orders` as lines: the row key and the five columns after it."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any, Final

import happybase
import pyarrow as pa
from thriftpy2.thrift import TException

from pipeline.addresses import Address
from pipeline.errors import Unavailable
from pipeline.places import FAMILY, ORDERS_TABLE

COLUMNS: Final = tuple(
    f"{FAMILY}:{name}".encode() for name in ("store_id", "item", "quantity", "amount", "ref")
)
_RANGES: Final = ((None, b"2"), (b"2", b"3"), (b"3", b"4"), (b"4", b"5"), (b"5", b"6"),
                  (b"6", b"7"), (b"7", b"8"), (b"8", b"9"), (b"9", b"|"), (b"|", None))  # fmt: skip
"""Row keys begin with the customer's digits, or with `|` for a walk-in."""
_SCANNERS: Final = 2
_ROWS: Final = 500
"""A million rows took 11 s with two scanners of 500 rows and 16 s with one; more rows at once are
no faster, and 7 scanners of 4,000 rows end the Thrift server (48 MiB of heap) by OutOfMemory."""
_TIMEOUT_MS: Final = 120_000
"""A filtered scan says nothing while it skips rows."""


def read_rows(
    thrift: Address, row_filter: str | None, table: str = ORDERS_TABLE
) -> Iterator[pa.Table]:
    """Give every row that passes the filter (HBase's filter language) as a line (column `line`)."""
    ranges: Queue[tuple[bytes | None, bytes | None]] = Queue()
    for keys in _RANGES:
        ranges.put(keys)
    found: Queue[pa.Table | BaseException | None] = Queue(maxsize=8)
    stop = Event()
    scanners = [
        Thread(
            target=partial(
                _scan, thrift, table, row_filter=row_filter, ranges=ranges, found=found, stop=stop
            ),
            daemon=True,
        )
        for _ in range(_SCANNERS)
    ]
    for scanner in scanners:
        scanner.start()
    try:
        running = _SCANNERS
        while running:
            match found.get():
                case None:
                    running -= 1
                case TException() | OSError() as error:
                    raise Unavailable(
                        f"HBase broke off while table {table} was read ({_short(error)}); "
                        "`./loyalty status` shows its state, then call verify again."
                    ) from error
                case BaseException() as error:
                    raise error
                case batch:
                    yield batch
    finally:
        stop.set()
        for scanner in scanners:
            scanner.join()


def line(key: bytes, columns: dict[bytes, bytes]) -> bytes:
    """Give the line of a row; columns that do not belong there are shown, so that it differs."""
    fields = [key, *(columns.get(name, b"") for name in COLUMNS)]
    if columns.keys() - COLUMNS:
        fields += [b"%b=%b" % pair for pair in sorted(columns.items()) if pair[0] not in COLUMNS]
    return b"|".join(fields)


def _scan(
    thrift: Address,
    table: str,
    *,
    row_filter: str | None,
    ranges: "Queue[tuple[bytes | None, bytes | None]]",
    found: "Queue[pa.Table | BaseException | None]",
    stop: Event,
) -> None:
    try:
        connection = happybase.Connection(*thrift, timeout=_TIMEOUT_MS)
        with suppress(Empty):
            while not stop.is_set():
                first, after = ranges.get_nowait()
                for batch in _batches(connection.table(table), first, after, row_filter):
                    if not _put(found, batch, stop):
                        break
        connection.close()
    except Exception as error:  # noqa: BLE001 (whoever reads the queue raises it)
        _put(found, error, stop)
        return
    _put(found, None, stop)


def _batches(
    table: Any, first: bytes | None, after: bytes | None, row_filter: str | None
) -> Iterator[pa.Table]:
    lines: list[bytes] = []
    for key, columns in table.scan(
        row_start=first, row_stop=after, batch_size=_ROWS, filter=row_filter
    ):
        lines.append(line(key, columns))
        if len(lines) >= 20_000:
            yield pa.table({"line": pa.array(lines, pa.binary())})
            lines = []
    yield pa.table({"line": pa.array(lines, pa.binary())})


def _put(
    found: "Queue[pa.Table | BaseException | None]",
    item: pa.Table | BaseException | None,
    stop: Event,
) -> bool:
    """Hand on an item; False when nobody wants it any more."""
    while not stop.is_set():
        with suppress(Full):
            found.put(item, timeout=0.2)
            return True
    return False


def _short(error: BaseException) -> str:
    text = str(getattr(error, "message", b"") or error)
    return text.partition("\\n")[0].partition("\n")[0][:200]


def instant_filter(low_ms: int, high_ms: int) -> str:
    """Give a filter that passes the keys whose instant may be in [low_ms, high_ms).

    By leading digits, so that it also passes some around; at most 22 of them are named.
    """
    low, high, digits = low_ms, high_ms - 1, 13
    while high - low > 20:
        low, high, digits = low // 10, high // 10, digits - 1
    prefixes = "|".join(f"{prefix:0{digits}}" for prefix in range(low, high + 1))
    return f"RowFilter(=, 'regexstring:^[0-9]*[|]({prefixes})')"
