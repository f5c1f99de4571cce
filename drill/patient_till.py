"""A till that follows docs/till.md: it takes a torn line back, and waits for room with it."""

import errno
import os
import secrets
import threading
import time
from typing import Final, Self

from drill.stack import OwnStack
from drill.verdict import Count
from drill.waiting import settle

_PAUSE_SECONDS: Final = 0.02
_NO_ROOM_SECONDS: Final = 1.0


class PatientTill:
    """Writes some fifty lines a second in a thread of its own, while the body runs.

    lines: how many it has written, each an order of its own. waits: how often it had no room.
    """

    def __init__(self, stack: OwnStack) -> None:
        self._stack = stack
        self._run = f"patient-{secrets.token_hex(4)}"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write_all)
        self._error: OSError | None = None
        self.lines = 0
        self.waits = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def count(self) -> Count:
        """Ask Hive for its orders, for a minute until it has them; every hop has them before."""
        if self._error is not None:
            return Count(differences=[f"the patient till ended: {self._error}"])
        return settle(self._judge)

    def _judge(self) -> Count:
        where = f"order_id like '{self._run}-%'"  # the run is ours, of hexadecimal digits
        (row,) = self._stack.sql(
            f"select count(*) n, count(distinct order_id) d from transactions_cln where {where}"  # noqa: S608
        )
        lost, doubled = max(0, self.lines - row["d"]), row["n"] - row["d"]
        says = f"the patient till wrote {self.lines:,} orders; Hive has {row['n']:,} rows of them"
        differs = row["n"] != self.lines or doubled
        return Count(self.lines, lost, doubled, 0, [says] if differs else [])

    def _write_all(self) -> None:
        path = self._stack.places.order_log / f"orders-{self._run}.log"
        try:
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o640)
            with os.fdopen(file, "ab", buffering=0):
                while not self._ended.wait(_PAUSE_SECONDS):
                    self._write(file)
        except OSError as error:
            self._error = error

    def _write(self, file: int) -> None:
        at = time.time_ns() // 1_000_000
        line = f"9|{at}|{self._run}-{self.lines}|1|SALE|5|mocha|1|80.00|\n".encode()
        size = os.fstat(file).st_size
        while True:
            try:
                if os.write(file, line) == len(line):
                    self.lines += 1
                    return
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            os.ftruncate(file, size)
            self.waits += 1
            if self._ended.wait(_NO_ROOM_SECONDS):
                return
