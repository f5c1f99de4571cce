"""A log file goes only when Flume has read it, it is old enough and nobody writes to it."""

import json
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from producer.log import OrderLog, mend, now_ms
from producer.sweep import sweep

DAY_MS = 86_400_000


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    """A closed log file of two lines."""
    with OrderLog(tmp_path / "log", ZoneInfo("UTC"), 64, 60) as log:
        log.write(b"one\n")
        log.write(b"two\n")
    return next((tmp_path / "log").iterdir())


def positions(file: Path, pos: int, inode: int | None = None) -> Path:
    """Write Flume's position file for one log file."""
    path = file.parent.parent / "positions.json"
    entry = {"inode": inode or file.stat().st_ino, "pos": pos, "file": str(file)}
    path.write_text(json.dumps([entry]))
    return path


def swept(file: Path, position_file: Path, days: float) -> bool:
    """Sweep with a retention of seven days, as if `days` had passed."""
    gone = sweep(file.parent, position_file, 7, now_ms() + int(days * DAY_MS))
    assert gone == ([] if file.exists() else [file])
    return not file.exists()


def test_read_and_old_enough(log_file: Path) -> None:
    assert swept(log_file, positions(log_file, 8), days=7.1)


def test_not_old_enough(log_file: Path) -> None:
    assert not swept(log_file, positions(log_file, 8), days=6.9)


def test_not_read_to_its_end(log_file: Path) -> None:
    assert not swept(log_file, positions(log_file, 7), days=30)


def test_half_a_line_at_its_end_is_none(log_file: Path) -> None:
    with log_file.open("ab") as torn:
        torn.write(b"thr")
    assert swept(log_file, positions(log_file, 8), days=7.1)


def test_unknown_to_flume(log_file: Path) -> None:
    inode = log_file.stat().st_ino + 1
    assert not swept(log_file, positions(log_file, 8, inode), days=30)


def test_an_inode_that_had_another_name(log_file: Path) -> None:
    known = positions(log_file, 8)
    other = log_file.rename(log_file.with_name("orders-20000101-000007.log"))
    assert not swept(other, known, days=30)


def test_without_a_position_file(log_file: Path) -> None:
    assert not swept(log_file, log_file.parent / "none.json", days=30)


def test_while_flume_is_writing_its_positions(log_file: Path) -> None:
    known = positions(log_file, 8)
    os.truncate(known, 20)
    assert not swept(log_file, known, days=30)


def test_a_file_that_somebody_writes_to(tmp_path: Path) -> None:
    with OrderLog(tmp_path / "log", ZoneInfo("UTC"), 64, 60) as log:
        log.write(b"one\n")
        file = next((tmp_path / "log").iterdir())
        assert not swept(file, positions(file, 4), days=30)
    assert swept(file, positions(file, 4), days=30)


def test_a_file_that_we_may_not_open_is_left_to_its_owner(
    log_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be root's, and the stack another user's."""
    log_file.write_bytes(b"one\ntorn")
    position_file = positions(log_file, 8)

    def refused(path: Path, flags: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused)
        assert not swept(log_file, position_file, days=8)
        assert mend(log_file.parent) == []
    assert log_file.read_bytes() == b"one\ntorn"
    assert mend(log_file.parent) == [log_file]
