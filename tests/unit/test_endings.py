"""How a command ends: in words and an exit code, never in a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import typer

from pipeline.cli import endings
from pipeline.settings import ROOT

DRY_RUN = ("produce", "--rate", "max", "--dry-run", "--seed", "1", "--count")


def begin(
    *arguments: str, data: Path, stdout: int | None = subprocess.PIPE
) -> subprocess.Popen[bytes]:
    """Start a command in a data folder of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments], cwd=ROOT,
        env=os.environ | {"LOYALTY_DATA": str(data)}, stdout=stdout, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    with begin(*DRY_RUN, "200000", data=tmp_path) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline().count(b"|") == 9
        process.stdout.close()
        said = process.stderr.read()
        assert process.wait(timeout=30) == 0, said
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said


def test_ctrl_c_is_said_and_ends_with_130(tmp_path: Path) -> None:
    with begin(*DRY_RUN, "100000000", data=tmp_path) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130, said
    assert b"stopped by Ctrl-C" in said
    assert b"Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("produce", "--nonsense"), b"No such option: --nonsense"),
        (("nonsense",), b"No such command 'nonsense'"),
        (("produce",), b"Nothing to produce"),
    ],
)
def test_wrong_use_ends_with_2(tmp_path: Path, arguments: tuple[str, ...], words: bytes) -> None:
    with begin(*arguments, data=tmp_path) as process:
        printed, said = process.communicate(timeout=30)
    assert (process.returncode, printed) == (2, b"")
    assert words in said


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        with begin(*DRY_RUN, "1000", data=tmp_path, stdout=full) as process:
            _, said = process.communicate(timeout=30)
    finally:
        os.close(full)
    assert process.returncode == 1, said
    assert said.decode().splitlines()[-1].startswith("error: The disk is full (")
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said


def test_duckdbs_full_disk_is_one_too(capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect() as scratch, pytest.raises(typer.Exit) as ended, endings():
        scratch.execute("copy (select range from range(1000000)) to '/dev/full' (format csv)")
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err.startswith("error: The disk is full (")


def test_other_errors_are_bugs_and_keep_their_traceback() -> None:
    with pytest.raises(FileNotFoundError), endings():
        raise FileNotFoundError(2, "No such file")
    with duckdb.connect() as scratch, pytest.raises(duckdb.CatalogException), endings():
        scratch.execute("select * from nope")


def test_a_path_that_cannot_be_is_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "produce", "--count", "1", "--out", "/dev/null/x"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Not a directory" in done.stderr
    assert "Traceback" not in done.stderr
