"""Which order log files may go: read to their end by Flume, kept long enough, without a writer."""

import json
import os
from pathlib import Path

from producer.log import files, locked

_DAY_S = 86_400


def sweep(folder: Path, positions: Path, retention_days: int, now_ms: int) -> list[Path]:
    """Delete what may go, and give the deleted paths.

    `positions` is Flume's position file. Without it, or while Flume is writing it, nothing is
    deleted: the next sweep will see.
    """
    read = _positions(positions)
    gone = []
    for path in files(folder):
        with locked(path) as file:
            if file is None:
                continue
            status = os.fstat(file)
            old = status.st_mtime < now_ms / 1000 - retention_days * _DAY_S
            # an inode is used again after a deletion, so the name counts as well
            if old and read.get((status.st_ino, path.name), -1) >= status.st_size:
                path.unlink()
                gone.append(path)
    return gone


def _positions(path: Path) -> dict[tuple[int, str], int]:
    """Read how many bytes Flume has delivered, by inode and file name."""
    try:
        entries = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {(e["inode"], Path(e["file"]).name): e["pos"] for e in entries}
