"""Which order log files may go: read to their end by Flume, kept long enough, without a writer."""

import os
from pathlib import Path

from pipeline.positions import read_positions
from producer.growing import last_line_end
from producer.log import files, locked

_DAY_S = 86_400


def sweep(folder: Path, positions: Path, retention_days: int, now_ms: int) -> list[Path]:
    """Delete what may go, and give the deleted paths.

    `positions` is Flume's position file. Without it, or while Flume is writing it, nothing is
    deleted: the next sweep will see.
    """
    read = read_positions(positions)
    gone = []
    for path in files(folder):
        with locked(path) as file:
            if file is None:
                continue
            status = os.fstat(file)
            old = status.st_mtime < now_ms / 1000 - retention_days * _DAY_S
            # an inode is used again after a deletion, so the name counts as well
            if old and read.get((status.st_ino, path.name), -1) >= last_line_end(file):
                path.unlink()
                gone.append(path)
    return gone
