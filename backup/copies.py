"""Copies of HDFS's files: what was copied once and is as it was, is not copied again."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from backup.manifest import HDFS, Item, store
from batch.load import UNFINISHED
from pipeline.errors import Unavailable
from pipeline.generations import numbers, partitions
from pipeline.places import CUSTOMERS, QUARANTINE, RAW, RAW_CUSTOMERS, TRANSACTIONS
from pipeline.raw import begins_file
from pipeline.webhdfs import Hdfs

THREADS: Final = 4
"""One request takes some milliseconds of waiting: a few at once hide them."""

Status = dict[str, Any]
"""FileStatus as of WebHDFS."""


def wanted(hdfs: Hdfs) -> Iterator[tuple[str, Status]]:
    """Give every file that cannot be rebuilt: raw, the customer files, and of the clean tables the
    newest generation of each partition.
    """
    yield from hdfs.walk(RAW)
    if (status := hdfs.status(begins_file())) is not None:
        yield begins_file(), status
    for path, status in hdfs.walk(RAW_CUSTOMERS):
        if not path.rpartition("/")[2].startswith(UNFINISHED):
            yield path, status
    for table in (TRANSACTIONS, QUARANTINE):
        for _, folders in partitions(hdfs, table):
            yield from _visible(hdfs, folders[-1])
    if found := numbers(hdfs.names(CUSTOMERS)):
        yield from _visible(hdfs, f"{CUSTOMERS}/g={found[-1]}")


def _visible(hdfs: Hdfs, folder: str) -> Iterator[tuple[str, Status]]:
    for name, status in sorted(hdfs.statuses(folder)):
        if name[0] not in "._" and status["type"] == "FILE":
            yield f"{folder}/{name}", status


class Copies:
    """The copies in a backup's folder. `take` may be called again: it brings them up to date."""

    def __init__(self, hdfs: Hdfs, folder: Path) -> None:
        self._hdfs = hdfs
        self._folder = folder
        self._taken: dict[str, tuple[tuple[int, int], Item]] = {}

    @property
    def items(self) -> list[Item]:
        """List what there is, by path."""
        return [item for _, (_, item) in sorted(self._taken.items())]

    def take(
        self, begun: Callable[[int], None], done: Callable[[int], None], *, is_last: bool
    ) -> None:
        """Copy what is new or has changed, and drop what is gone.

        begun: is told how many bytes there are to copy; done: how many more were. A file that goes
        meanwhile is left out, unless is_last: nobody writes then, and it raises Missing.
        """
        found = {path: status for path, status in wanted(self._hdfs) if is_last or _is_closed(path)}
        for path in self._taken.keys() - found.keys():
            _, item = self._taken.pop(path)
            (self._folder / item.path).unlink()
        news = {
            path: status
            for path, status in found.items()
            # what was open may have got more without another time or length
            if not _is_closed(path) or self._stamp(path) != _stamp(status)
        }
        begun(sum(status["length"] for status in news.values()))

        def copy(path: str) -> None:
            if (item := self._copy(path, news[path], is_last=is_last)) is not None:
                self._taken[path] = _stamp(news[path]), item
                done(item.size)

        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(copy, news):
                pass

    def add(self, path: str, pieces: Iterator[bytes], changed: float) -> None:
        """Add a file that HDFS does not have yet."""
        self._taken[path] = (0, 0), store(self._folder, f"{HDFS}{path}", pieces, changed)

    def _stamp(self, path: str) -> tuple[int, int] | None:
        return self._taken[path][0] if path in self._taken else None

    def _copy(self, path: str, status: Status, *, is_last: bool) -> Item | None:
        name, changed = f"{HDFS}{path}", status["modificationTime"] / 1000
        try:
            item = store(self._folder, name, self._hdfs.chunks(path), changed)
        except FileNotFoundError:
            if is_last:
                raise
            (self._folder / name).unlink()
            return None
        if _is_closed(path) and item.size != status["length"]:
            raise Unavailable(f"HDFS gave another length of {path} than it has; try again.")
        return item


def _stamp(status: Status) -> tuple[int, int]:
    return status["length"], status["modificationTime"]


def _is_closed(path: str) -> bool:
    return not path.endswith(".tmp")
