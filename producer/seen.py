"""Which receipt lines an export had before: in a temporary database, so that memory is bounded."""

import hashlib
import sqlite3
import tempfile
from typing import Final, NamedTuple, Self

from producer.growing import NoRoom

_SCHEMA: Final = """
    CREATE TABLE seen (
        outlet INTEGER, day INTEGER, receipt INTEGER, part INTEGER, line INTEGER,
        row INTEGER NOT NULL, content BLOB NOT NULL,
        PRIMARY KEY (outlet, day, receipt, part, line)
    ) WITHOUT ROWID
"""
_INSERT: Final = "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?)"
_FIND: Final = (
    "SELECT row, content FROM seen"
    " WHERE outlet = ? AND day = ? AND receipt = ? AND part = ? AND line = ?"
)
Key = tuple[int, ...]
"""Outlet, ordinal of the date, transaction, order, line."""


class First(NamedTuple):
    """Where a receipt line was first, and whether that row was the same, byte for byte."""

    row: int
    same: bool


class Seen:
    """A context manager; its file, deleted at its end, grows with the export."""

    def __enter__(self) -> Self:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(_SCHEMA)
        self._database.execute("BEGIN")
        return self

    def __exit__(self, *_error: object) -> None:
        self._database.close()

    def first(self, key: Key, row: int, raw: bytes) -> First | None:
        """Give the earlier row with this key; None when it is the first, which is kept."""
        content = hashlib.blake2b(raw, digest_size=8).digest()
        try:
            if self._database.execute(_INSERT, (*key, row, content)).rowcount:
                return None
        except sqlite3.OperationalError as error:
            raise NoRoom(
                f"No room for the list of receipt lines seen, at row {row:,} ({error}); make room"
                f" in {tempfile.gettempdir()}."
            ) from error
        earlier, before = self._database.execute(_FIND, key).fetchone()
        return First(earlier, before == content)
