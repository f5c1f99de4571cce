"""Flume's position file: how far the agent has delivered each order log file to the topic."""

import json
import time
from pathlib import Path


def read_positions(path: Path, patience: float = 0) -> dict[tuple[int, str], int]:
    """Read how many bytes are delivered, by inode and file name; {} without the file.

    (An inode is used again after a deletion, so the name counts as well.) Flume truncates the
    file and writes it in place, so a torn one is read again, for `patience` seconds at most; one
    that stays torn is like none: Flume itself reads everything again then.
    """
    give_up = time.monotonic() + patience
    while True:
        try:
            entries = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            if time.monotonic() >= give_up:
                return {}
            time.sleep(0.05)
            continue
        try:
            return {(entry["inode"], Path(entry["file"]).name): entry["pos"] for entry in entries}
        except (TypeError, KeyError):  # no list of positions: Flume does not know it either
            return {}
