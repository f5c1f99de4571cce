"""HBase through its Thrift server with happybase; verify and the drills, who judge, have their own.

Without a client timeout a call hangs while the region server is away. A connection dies after a
minute idle, so a read is tried once more on a new one; a write never is.

happybase is imported by who connects: it reads its interface from a file, 0.1 s of a command.
"""

import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from thriftpy2.thrift import TException
from thriftpy2.transport import TTransportException

from hbase.codec import Cells, Order, newest_first, read_orders
from pipeline.errors import LoyaltyError, Unavailable
from pipeline.places import FAMILY, ORDERS_TABLE, PROBE_TABLE

TIMEOUT_SECONDS: Final = 4
MAKE_SECONDS: Final = 30
"""A table is made only when its region is open: 1.3 s measured, longer right after a start."""
LOOK_UP_ROWS: Final = 100
"""Rows fetched at once for a till: some 30 receipts."""

PROBE_ROWS: Final = 64

_Answer = TypeVar("_Answer")


class Tables:
    """A connection to the Thrift server; use it in a `with`, in one thread."""

    def __init__(self, host: str, port: int, timeout: float = TIMEOUT_SECONDS) -> None:
        import happybase

        self._address = f"{host}:{port}"
        self._connect: Callable[[], Any] = partial(
            happybase.Connection, host, port, timeout=int(timeout * 1000)
        )
        with _sentences(self._address):
            self._connection: Any = self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self._connection.close()

    def make(self, name: str) -> None:
        """Make a table with family `d`, one version; one that is there stays as it is."""
        from Hbase_thrift import AlreadyExists  # type: ignore[import-not-found]

        with _sentences(self._address):
            if name.encode() in self._connection.tables():
                return
            options = {"max_versions": 1, "compression": "NONE", "bloom_filter_type": "ROW",
                       "block_cache_enabled": True}  # fmt: skip
            try:
                self._connection.create_table(name, {FAMILY: options})
            except AlreadyExists:  # made by another one meanwhile
                return

    def put(self, name: str, key: bytes, cells: Cells) -> None:
        """Write one row."""
        with _sentences(self._address):
            self._connection.table(name).put(key, cells)

    def put_all(self, name: str, rows: Iterable[tuple[bytes, Cells]]) -> None:
        """Write rows, a thousand at a time; of two with one key the later one stays."""
        with _sentences(self._address), self._connection.table(name).batch(
            batch_size=1_000
        ) as batch:  # fmt: skip
            for key, cells in rows:
                batch.put(key, cells)

    def get(self, name: str, key: bytes) -> dict[bytes, bytes]:
        """Read one row, {} where there is none."""
        found: dict[bytes, bytes] = self._read(lambda: self._connection.table(name).row(key))
        return found

    def orders(self, customer_id: int, last: int, now_ms: int) -> list[Order]:
        """Read the last orders of a customer, newest first; none more than ten minutes ahead."""
        start, stop = newest_first(customer_id, now_ms)

        def look_up() -> list[Order]:
            rows = self._connection.table(ORDERS_TABLE).scan(
                row_start=start, row_stop=stop, reverse=True, batch_size=LOOK_UP_ROWS
            )
            try:
                return list(islice(read_orders(rows), last))
            finally:
                rows.close()  # the scanner on the server

        return self._read(look_up)

    def _read(self, question: Callable[[], _Answer]) -> _Answer:
        """Ask once more where the connection had died."""
        with _sentences(self._address):
            try:
                return question()
            except (TTransportException, ConnectionError):
                self._connection.close()
                self._connection = self._connect()
                return question()


@contextmanager
def _sentences(address: str) -> Iterator[None]:
    """Turn the errors of happybase and Thrift into ours."""
    try:
        yield
    except (TTransportException, OSError, EOFError) as error:
        raise Unavailable(
            f"HBase does not answer through its Thrift server at {address}; "
            "`./loyalty status` shows its state."
        ) from error
    except TException as error:
        reason = getattr(error, "message", None) or error
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise Unavailable(
            f"HBase at {address} could not answer ({text.partition(chr(10))[0][:200]}); "
            "`./loyalty status` shows its state."
        ) from error


def make_tables(host: str, port: int) -> None:
    """Make the tables `orders` and `probe` where they are missing."""
    with Tables(host, port, MAKE_SECONDS) as tables:
        for name in (ORDERS_TABLE, PROBE_TABLE):
            tables.make(name)


def probe(host: str, port: int) -> None:
    """Ask HBase the real question: a row is written to the table `probe` and read back.

    Who asks at the same time (`status`, the watcher) hardly ever shares the row: of two writers
    the one with the earlier stamp may come later.
    """
    written = time.time_ns()
    asking = f"{socket.gethostname()}-{threading.get_native_id()}"
    row = b"probe-%d" % (zlib.crc32(asking.encode()) % PROBE_ROWS)
    cell = f"{FAMILY}:written".encode()
    with Tables(host, port) as tables:
        tables.put(PROBE_TABLE, row, {cell: str(written).encode()})
        # another probe may have written since
        if int(tables.get(PROBE_TABLE, row).get(cell, b"0")) < written:
            raise LoyaltyError("HBase did not give back the row that was just written.")
