"""How a command ends: in words and an exit code, never in a traceback."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import typer
from typer.testing import CliRunner

from cluster.stamp import write_stamp
from pipeline.cli import app
from pipeline.endings import endings
from pipeline.settings import ROOT, Settings
from tests.unit.receipt_rows import HEADER, row

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
        (("produce", "--nonsense"), b"has no option --nonsense"),
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


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_standard_stream_is_an_empty_one(tmp_path: Path, closed: str) -> None:
    words = f'exec "$0" -m pipeline {" ".join(DRY_RUN)} 3 {closed}'
    done = subprocess.run(
        ["sh", "-c", words, sys.executable], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"LOYALTY_DATA": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_lines_from_a_closed_standard_input_are_wrong_use(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m pipeline produce --from - <&-', sys.executable],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"LOYALTY_DATA": str(tmp_path / "var")},
    )  # fmt: skip
    assert done.returncode == 2
    assert "Standard input is closed" in done.stderr
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("arguments", [("orders", "-1"), ("orders", "abc"), ("orders", "0"),
                                       ("orders", "01", "--json")])  # fmt: skip
def test_no_customer_number_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with begin(*arguments, data=tmp_path) as process:
        printed, said = process.communicate(timeout=30)
    assert (process.returncode, printed) == (2, b"")
    assert said.decode().startswith(f"error: '{arguments[1]}' is no customer number")
    assert said.count(b"\n") == 1


@pytest.mark.parametrize("seconds", ["inf", "nan", "-inf", "0", "-5"])
def test_a_timeout_that_is_no_number_of_seconds(tmp_path: Path, seconds: str) -> None:
    with begin("verify", f"--timeout={seconds}", data=tmp_path) as process:
        printed, said = process.communicate(timeout=30)
    assert (process.returncode, printed) == (2, b"")
    assert b"--timeout is a number of seconds" in said


@pytest.mark.parametrize(
    "arguments",
    [("produce", "--count", "1"), ("replay", "receipts.csv"),
     ("quarantine", "replay", "--reason", "ITEM", "--yes")],
)  # fmt: skip
def test_a_folder_of_another_time_zone_is_not_written_to(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    data = tmp_path / "var"
    data.mkdir()
    write_stamp(Settings(data=data), "Asia/Tokyo", "empty")
    (tmp_path / "receipts.csv").write_text(f"{HEADER}\n{row()}\n")
    given = [str(tmp_path / word) if word.endswith(".csv") else word for word in arguments]
    with begin(*given, data=data) as process:
        printed, said = process.communicate(timeout=30)
    assert (process.returncode, printed) == (1, b""), said
    assert b"holds business dates in Asia/Tokyo" in said
    assert {path.name for path in data.iterdir()} == {"stamp.json"}


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EROFS, errno.ENOTDIR, errno.EACCES])
def test_a_path_that_cannot_be_is_one_sentence(
    capsys: pytest.CaptureFixture[str], number: int
) -> None:
    with pytest.raises(typer.Exit) as ended, endings():
        raise OSError(number, "No good", "/proc/x")
    assert ended.value.exit_code == 1
    said = " ".join(capsys.readouterr().err.split())
    assert said.startswith("error: /proc/x: No good; give another path")


def test_more_lines_than_memory_is_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    held = "select len(list(md5(range::varchar))) from range(3000000)"
    with (
        duckdb.connect(config={"memory_limit": "20MB"}) as scratch,
        pytest.raises(typer.Exit) as end,
        endings(),
    ):
        scratch.execute(held).fetchall()
    assert end.value.exit_code == 1
    assert "give --from and --to, some dates at a time" in capfd.readouterr().err.replace("\n", " ")


def test_without_a_command_the_help_is_all() -> None:
    done = CliRunner().invoke(app, [], prog_name="./loyalty")
    assert done.exit_code == 2
    assert "error" not in done.stderr
    assert "Example: ./loyalty up" in done.output
