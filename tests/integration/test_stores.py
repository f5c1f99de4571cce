"""The stores' readers on real HDFS: files that are closed, lost or broken while they are read."""

import time
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from drill.stack import OwnStack
from pipeline.errors import LoyaltyError
from pipeline.places import CLEAN
from pipeline.stores import fetched as module
from pipeline.stores.fetched import fetched
from pipeline.stores.tables import TRANSACTIONS, TableFile, read_table
from pipeline.webhdfs import Hdfs, InDoubt, Missing
from tests.unit.test_verify_stores import ZONE, write_row


class Doubtful(Hdfs):
    """A client that finds the length of a file in doubt, so many times."""

    doubts = 0

    def chunks(self, path: str, size: int = 1 << 20) -> Iterator[bytes]:
        if self.doubts:
            self.doubts -= 1
            yield b"half of it"
            raise InDoubt("no length")
        yield from super().chunks(path, size)


@pytest.fixture
def hdfs(quiet_stack: OwnStack) -> Doubtful:
    return Doubtful(quiet_stack.settings.webhdfs, user="spark")


@pytest.fixture
def folder(hdfs: Hdfs) -> Iterator[str]:
    made = f"{CLEAN}/test-{uuid.uuid4().hex[:8]}"
    yield made
    hdfs.delete(made)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pause not in that module (other threads go on as they do); gives its pauses."""
    pauses: list[float] = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=pauses.append)
    monkeypatch.setattr(module, "time", clock)
    return pauses


def read(hdfs: Hdfs, folder: str, scratch: Path) -> list[tuple[str, bytes]]:
    path = f"{folder}/.orders.1.log.tmp"
    return [(path, copy.read_bytes()) for path, copy in fetched(hdfs, [path], scratch)]


def test_a_file_that_flume_closes_meanwhile_has_another_name(
    hdfs: Doubtful, folder: str, tmp_path: Path
) -> None:
    hdfs.write(f"{folder}/orders.1.log", b"lines")
    assert read(hdfs, folder, tmp_path) == [(f"{folder}/orders.1.log", b"lines")]


def test_a_file_in_doubt_is_waited_for(
    hdfs: Doubtful, folder: str, tmp_path: Path, slept: list[float]
) -> None:
    hdfs.write(f"{folder}/orders.1.log", b"lines")
    hdfs.doubts = 2
    assert read(hdfs, folder, tmp_path) == [(f"{folder}/orders.1.log", b"lines")]
    assert slept == [1, 1]


def test_what_stays_in_doubt_or_missing_is_said(
    hdfs: Doubtful, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Missing):
        read(hdfs, folder, tmp_path)
    monkeypatch.setattr(module, "_IN_DOUBT_SECONDS", -1)
    hdfs.doubts = 1
    with pytest.raises(InDoubt):
        read(hdfs, folder, tmp_path)


def test_a_file_that_is_no_parquet_is_named(hdfs: Hdfs, folder: str, tmp_path: Path) -> None:
    write_row(tmp_path / "row.parquet")
    day, whole = date(2026, 11, 24), (tmp_path / "row.parquet").read_bytes()
    files = [TableFile(f"{folder}/{name}.parquet", day) for name in "abc"]
    for file, content in zip(files, (whole, whole[:-9], whole), strict=True):
        hdfs.write(file.path, content)
    with pytest.raises(LoyaltyError, match=rf"^{folder}/b\.parquet cannot be read"):
        list(read_table(hdfs, files, TRANSACTIONS, ZONE, tmp_path))
