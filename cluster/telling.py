"""A line of the watcher's log, which is its stderr."""

import os
from datetime import UTC, datetime


def tell(what: str) -> None:
    """Write it, with the time before it, by one write: several threads tell."""
    os.write(2, f"{datetime.now(tz=UTC).isoformat(timespec='seconds')} {what}\n".encode())
