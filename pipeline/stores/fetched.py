"""Files of HDFS, brought into a local folder a few at a time."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from pipeline.webhdfs import Hdfs, InDoubt

_AHEAD: Final = 8
_IN_DOUBT_SECONDS: Final = 120
"""How long Flume may take to close a file whose DataNode died: a minute after its last line."""
_THREADS: Final = 4
"""One request takes some milliseconds of waiting: a few at once hide them."""


def fetched(hdfs: Hdfs, paths: Iterable[str], folder: Path) -> Iterator[tuple[str, Path]]:
    """Give each path, in order, with its local copy, which goes when the next is asked for.

    At most 8 copies are there at once. A copy is named by the file's place in the order
    (`00000007`).
    """
    waiting: deque[Future[tuple[str, Path]]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for number, path in enumerate(paths):
                waiting.append(pool.submit(_fetch, hdfs, path, folder / f"{number:08}"))
                if len(waiting) >= _AHEAD:
                    yield from _take(waiting)
            while waiting:
                yield from _take(waiting)
        finally:
            for future in waiting:
                future.cancel()


def _take(waiting: deque[Future[tuple[str, Path]]]) -> Iterator[tuple[str, Path]]:
    path, copy = waiting.popleft().result()
    try:
        yield path, copy
    finally:
        with suppress(FileNotFoundError):  # whoever needs it longer has moved it
            copy.unlink()


def _fetch(hdfs: Hdfs, path: str, copy: Path) -> tuple[str, Path]:
    give_up = time.monotonic() + _IN_DOUBT_SECONDS
    while True:
        try:
            with copy.open("wb") as file:
                for piece in hdfs.chunks(path):
                    file.write(piece)
        except FileNotFoundError:
            if path == closed_name(path):
                raise
            path = closed_name(path)
        except InDoubt:
            if time.monotonic() > give_up:
                raise
            time.sleep(1)
        else:
            return path, copy


def closed_name(path: str) -> str:
    """Give the name that Flume gives a file `.NAME.tmp` when it closes it."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{name.removeprefix('.').removesuffix('.tmp')}"
