"""HDFS raw, the master data set, as lines."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from pipeline.raw import dates
from pipeline.stores.fetched import closed_name, fetched
from pipeline.webhdfs import Hdfs

_BLOCK: Final = 4 << 20


class RawFolder(NamedTuple):
    """One arrival date, in the local time of Flume's sink, and where its files are."""

    arrival: date
    path: str


def raw_folders(hdfs: Hdfs, root: str) -> list[RawFolder]:
    """List the arrival dates, the oldest first."""
    return [RawFolder(day, f"{root}/dt={day}") for day in dates(hdfs, root)]


def read_raw(hdfs: Hdfs, folders: list[RawFolder], scratch: Path) -> Iterator[pa.Table]:
    """Give the lines of some folders, open `.tmp` files included (columns line, arrival).

    Nothing but LF ends a line here: Flume has taken the CR away already. The last bytes without
    LF are no line: after a DataNode's crash the whole line is in a later file.
    """
    for folder in folders:
        # an open file comes where it will be when it is closed: lines keep their order
        paths = sorted((path for path, _ in hdfs.walk(folder.path)), key=closed_name)
        for _, copy in fetched(hdfs, paths, scratch):
            for lines in read_lines(copy):
                arrival = pa.repeat(pa.scalar(folder.arrival, pa.date32()), len(lines))
                yield pa.table({"line": pa.array(lines, pa.binary()), "arrival": arrival})


def read_lines(path: Path) -> Iterator[list[bytes]]:
    """Give a file's complete lines, some megabytes at a time."""
    carried = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            *lines, carried = (carried + block).split(b"\n")
            yield lines
