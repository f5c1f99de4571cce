"""Files of raw are read also where Flume is just closing them, or their DataNode has died."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.stores import fetched as module
from pipeline.stores.fetched import fetched
from pipeline.webhdfs import Hdfs, InDoubt, Missing

OPEN, CLOSED = "/raw/dt=2026-11-30/.orders.1.log.tmp", "/raw/dt=2026-11-30/orders.1.log"


class Raw(Hdfs):
    """Raises what is listed for a path, one after the other; then gives its bytes."""

    def __init__(self, files: dict[str, list[Exception | bytes]]) -> None:
        self._files = files

    def chunks(self, path: str, size: int = 1) -> Iterator[bytes]:  # noqa: ARG002
        """Give the next thing of a path."""
        found = self._files[path].pop(0)
        if isinstance(found, Exception):
            yield b"half of it"
            raise found
        yield found


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pause not; gives the pauses."""
    pauses: list[float] = []
    monkeypatch.setattr("pipeline.stores.fetched.time.sleep", pauses.append)
    return pauses


def read(raw: Raw, folder: Path) -> list[tuple[str, bytes]]:
    return [(path, copy.read_bytes()) for path, copy in fetched(raw, [OPEN], folder)]


def test_a_file_that_flume_closes_meanwhile_has_another_name(tmp_path: Path) -> None:
    raw = Raw({OPEN: [Missing("gone")], CLOSED: [b"lines"]})
    assert read(raw, tmp_path) == [(CLOSED, b"lines")]


def test_a_file_in_doubt_is_waited_for(tmp_path: Path, slept: list[float]) -> None:
    raw = Raw({OPEN: [InDoubt("no length"), InDoubt("no length"), Missing("closed")],
               CLOSED: [b"lines"]})  # fmt: skip
    assert read(raw, tmp_path) == [(CLOSED, b"lines")]
    assert slept == [1, 1]


def test_what_stays_in_doubt_or_missing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Missing):
        read(Raw({OPEN: [Missing("gone")], CLOSED: [Missing("gone")]}), tmp_path)
    monkeypatch.setattr(module, "_IN_DOUBT_SECONDS", -1)
    with pytest.raises(InDoubt):
        read(Raw({OPEN: [InDoubt("no length")]}), tmp_path)
