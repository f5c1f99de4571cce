"""What a backup says of itself: its files with their hashes, written last, so that it is whole."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from pipeline.errors import Refused

NAME: Final = "backup.json"
FORMAT: Final = 1
"""Goes up whenever an older program could misread a newer backup."""
HDFS: Final = "hdfs"
"""The folder of files of HDFS, by their paths there."""
LOGS: Final = "orders-log"
LOCAL: Final = (
    "producer/members.csv", "producer/rate", "producer/history.json", "refreshes.jsonl",
    "rejected/*",
)  # fmt: skip
"""What else there may be in a data folder that nothing makes again: the pool of the demo's members,
the rate that was asked for, what past it invented, the list of refreshes, the broken rows of
customer files.
"""
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """A file: its path below the backup's folder, its bytes, their SHA-256 in hex, its time of
    change (epoch seconds).
    """

    path: str
    size: int
    sha256: str
    changed: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """made: when the copy was whole (ISO, UTC).

    time_zone, partition_hours, begun: of the stack's stamp. positions: by name of an order log
    file, up to which byte HDFS raw and the tables have it. snapshots: the dates of `loyalty`.
    """

    made: str
    time_zone: str
    partition_hours: int
    begun: str
    customers_loaded: bool
    positions: dict[str, int]
    snapshots: list[str]
    items: list[Item]

    def below(self, folder: str) -> list[Item]:
        """List the files below a folder of the backup."""
        return [item for item in self.items if item.path.startswith(f"{folder}/")]

    def local(self) -> list[Item]:
        """List what goes back to where it lay in the data folder."""
        return [item for item in self.items if any(fnmatch(item.path, one) for one in LOCAL)]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Say that a backup is whole: the last thing that is written, after all else is on the disk."""
    new = folder / f"{NAME}.new"
    with new.open("w", encoding="utf-8") as file:
        json.dump({"format": FORMAT} | asdict(manifest), file, indent=1)
        file.write("\n")
    os.sync()
    new.rename(folder / NAME)
    os.sync()


def read_manifest(folder: Path) -> Manifest:
    """Read it; raises Refused for a folder that is no whole backup, or of an unknown format."""
    path = folder / NAME
    try:
        values: dict[str, Any] = json.loads(path.read_bytes())
        if (known := values.pop("format")) == FORMAT:
            return Manifest(**values | {"items": [Item(**item) for item in values["items"]]})
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refused(
            f"{folder} is no backup, or one that was broken off: it has no {NAME}; give the folder "
            "of a `./loyalty backup` that came to its end."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{path} is damaged; use another backup.") from error
    raise Refused(
        f"{folder} is a backup of format {known}, this program knows {FORMAT}; restore it with "
        "the program that made it."
    )


def check_files(folder: Path, items: Iterable[Item], done: Callable[[int], None]) -> None:
    """Compare every file with its hash; `done` is told the bytes of each. Raises Refused."""
    for item in items:
        path = folder / item.path
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise Refused(f"{path} is missing in the backup; use another one.") from error
        if found != item.sha256:
            raise Refused(
                f"{path} is not as it was written (its SHA-256 differs); use another backup."
            )
        done(item.size)


def store(folder: Path, name: str, pieces: Iterable[bytes], changed: float) -> Item:
    """Write a file of the backup; gives what the manifest says of it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in pieces:
            digest.update(piece)
            size += file.write(piece)
    return Item(name, size, digest.hexdigest(), changed)


def blocks(path: Path, end: int | None = None) -> Iterable[bytes]:
    """Read a local file up to a byte, some of it at a time."""
    left = path.stat().st_size if end is None else end
    with path.open("rb") as file:
        while left > 0 and (piece := file.read(min(_BLOCK, left))):
            left -= len(piece)
            yield piece
