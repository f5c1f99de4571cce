"""Temporary folders of commands: gone at the end, and after a kill with the next command."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from pipeline.temporary import temporary_folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def ended_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_it_is_gone_at_the_end(place: Path) -> None:
    with temporary_folder("verify") as folder:
        assert folder.parent == place
        (folder / "lines").write_text("x")
    assert list(place.iterdir()) == []


def test_what_a_killed_one_has_left_goes_and_what_another_uses_stays(place: Path) -> None:
    left = place / f"loyalty-verify-{ended_pid()}-abc"
    (left / "deeper").mkdir(parents=True)
    used = place / f"loyalty-verify-{os.getppid()}-abc"
    foreign = [place / f"loyalty-rebuild-{ended_pid()}-abc", place / "loyalty-verify-x-abc"]
    for path in (used, *foreign):
        path.mkdir()
    with temporary_folder("verify"):
        assert not left.exists()
    assert sorted(place.iterdir()) == sorted([used, *foreign])
