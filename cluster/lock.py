"""Locks between commands: who is second is told so, and never waits."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import Refused


@contextmanager
def only_one(path: Path, doing: str) -> Iterator[None]:
    """Hold the lock file while the body runs; raises Refused when another process holds it.

    The kernel frees it when its process ends, however that happens.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.read(descriptor, 20).decode("ascii", errors="replace").strip() or "unknown"
            raise Refused(
                f"{doing} is running already (process {pid}); wait for its end."
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode("ascii"))
        yield
    finally:
        os.close(descriptor)
