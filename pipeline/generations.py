"""Generations: the one way to change what readers see.

FOLDER/g=1, FOLDER/g=2, …: the highest is complete, and the one that is written to and read by path.
Whoever rewrites data builds a complete folder in staging, which enters as g=N+1 by one rename; then
Hive is pointed at it (hive/generations.py). Once that was read back, the older ones get a marker,
a file that Hive does not read; its time is that of the switch. They go some time after it (a
setting, an hour): until then whoever listed their files reads them to the end. One writer a folder.
"""

import math
import re
import time
from collections.abc import Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import uuid4

from pipeline.webhdfs import Hdfs

GRACE_SECONDS: Final = 3600
"""How long an old generation stays where nothing else is said; Hive's queries take ten minutes
less at most."""
MARKER: Final = "_switched"
LISTED_AT_ONCE: Final = 8
"""Folders; the client keeps ten connections."""

_GENERATION: Final = re.compile(r"g=([1-9][0-9]*)")


def numbers(names: Iterable[str]) -> list[int]:
    """Give the generations among the names in a folder, the oldest first."""
    return sorted(int(match[1]) for match in map(_GENERATION.fullmatch, names) if match)


def highest(hdfs: Hdfs, folder: str) -> int:
    """Give the number of a folder's highest generation, 0 where there is none."""
    return max(numbers(hdfs.names(folder)), default=0)


def number_of(path: str) -> int:
    """Give the number of a generation's folder: 2 of …/g=2."""
    return int(path.rpartition("/g=")[2])


def attempt(staging: str, what: str) -> str:
    """Name a folder in staging for one attempt at something, and for no other: a DataNode that
    stood still may write a file of an earlier attempt when it goes on, and a rename may come late.

    What is left in one after a crash is worthless (see streaming.staging.drop_unfinished).
    """
    return f"{staging}/{what}.{uuid4().hex}.tmp"


def enter(hdfs: Hdfs, staged: str, folder: str) -> str:
    """Make a complete staged folder the newest generation of a folder; give its path."""
    hdfs.make_folder(folder)
    target = f"{folder}/g={highest(hdfs, folder) + 1}"
    hdfs.rename(staged, target)
    return target


def retire(hdfs: Hdfs, folder: str, shown: int, grace: float = GRACE_SECONDS) -> float | None:
    """Mark the generations below the one that Hive was read back to show; delete those whose time
    (grace, seconds) is over. Safe to repeat: a mark stays as it is, a missing one is made.

    Gives when the next one is due (epoch seconds), None where no old one is left.
    """
    due = []
    for number in numbers(hdfs.names(folder)):
        if number >= shown:
            continue
        old = f"{folder}/g={number}"
        marker = dict(hdfs.statuses(old)).get(MARKER)
        if marker is None:
            hdfs.write(f"{old}/{MARKER}", b"")
        marked = time.time() if marker is None else marker["modificationTime"] / 1000
        if time.time() >= marked + grace:
            hdfs.delete(old)
        else:
            due.append(marked + grace)
    return min(due, default=None)


def due(hdfs: Hdfs, folder: str, grace: float = GRACE_SECONDS) -> float:
    """Give when the next old generation may go (epoch seconds); 0 where one bears no mark, so that
    Hive has to be asked what it shows. A folder with several generations is meant.
    """
    found = []
    for number in numbers(hdfs.names(folder))[:-1]:
        marker = dict(hdfs.statuses(f"{folder}/g={number}")).get(MARKER)
        found.append(0 if marker is None else marker["modificationTime"] / 1000 + grace)
    return min(found, default=0)


def partitions(
    hdfs: Hdfs,
    folder: str,
    right: Set[str] = frozenset(),
    before: float = math.inf,
) -> Iterator[tuple[str, list[str]]]:
    """Give each partition below a table's folder, with its generations' folders, oldest first.

    right: those left out, where that spares a listing, as long as they have one generation, or one
    that came later than `before` (epoch seconds).
    """
    found = dict(hdfs.statuses(folder))

    def below(name: str) -> list[tuple[str, list[str]]]:
        status = found[name]
        is_new = status["modificationTime"] / 1000 > before
        if name in right and (status["childrenNum"] == 1 or is_new):
            return []
        return list(_below(hdfs, f"{folder}/{name}", name, right))

    with ThreadPoolExecutor(LISTED_AT_ONCE) as pool:
        for some in pool.map(below, _columns(found)):
            yield from some


def _below(
    hdfs: Hdfs, path: str, partition: str, right: Set[str]
) -> Iterator[tuple[str, list[str]]]:
    names = dict(hdfs.statuses(path))
    if found := numbers(names):
        yield partition, [f"{path}/g={number}" for number in found]
        return
    for name in _columns(names):
        inner = f"{partition}/{name}"
        if inner not in right or names[name]["childrenNum"] != 1:
            yield from _below(hdfs, f"{path}/{name}", inner, right)


def _columns(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if "=" in name and not name.startswith("."))
