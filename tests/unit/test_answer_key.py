"""The answer key: a row for each line written, through kills, and read again."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.commands import produce as command
from pipeline.commands import verify as verification
from pipeline.errors import Refused, UsageError
from pipeline.order import OrderLine, parse
from pipeline.settings import ROOT
from pipeline.verify.answer_key import KeyFile, open_key, read_key
from producer.answer_key import HEADER, AnswerKey, row
from producer.faults import MALFORMED, NAMES, Written
from producer.malformed import REASONS
from tests.unit.hop_world import BAD, order

PRODUCE = (
    "import typer; from pipeline.commands.produce import produce;"
    "app = typer.Typer(); app.command()(produce); app()"
)
FAULTS = "duplicate=0.05,malformed=0.1,conflict=0.05,late-days=0.05"
Rows = list[list[str]]


def produce(data: Path, *arguments: str) -> list[str]:
    """Give the command line of a run on a data folder of its own, with a key."""
    return [sys.executable, "-c", PRODUCE, "--answer-key", str(data / "key.tsv"),
            "--faults", FAULTS, *arguments]  # fmt: skip


def environment(data: Path) -> dict[str, str]:
    return os.environ | {"LOYALTY_DATA": str(data)}


def run(data: Path, *arguments: str) -> dict[str, int]:
    done = subprocess.run(
        [*produce(data, *arguments), "--json"],
        cwd=ROOT, env=environment(data), capture_output=True, check=True,
    )  # fmt: skip
    report: dict[str, int] = json.loads(done.stdout)
    return report


def rows(key: bytes) -> Rows:
    assert key.startswith(HEADER)
    return [text.split("\t") for text in key.decode("ascii").splitlines()[1:]]


def logged(data: Path) -> list[bytes]:
    files = sorted((data / "orders-log").glob("*.log"))
    return [line for file in files for line in file.read_bytes().split(b"\n")[:-1]]


def digests(lines: list[bytes]) -> list[str]:
    return [hashlib.md5(line).hexdigest() for line in lines]  # noqa: S324


def test_a_row_a_line_in_the_order_of_writing(tmp_path: Path) -> None:
    report = run(tmp_path, "--count", "300", "--seed", "3")
    lines, key = logged(tmp_path), rows((tmp_path / "key.tsv").read_bytes())
    assert len(lines) == len(key) == report["lines"]
    assert digests(lines) == [digest for _, digest, _, _ in key]
    for line, (identity, _, amount, fault) in zip(lines, key, strict=True):
        parsed = parse(line)
        if fault.startswith("malformed"):
            assert amount == ""
        else:
            assert isinstance(parsed, OrderLine)
            assert (identity, amount) == (parsed.identity(), f"{parsed.amount:.2f}")
    planted = {fault.partition(":")[0] for *_, fault in key}
    assert planted == {"", "duplicate", "malformed", "conflict", "late-days"}


def test_the_same_seed_and_start_give_the_same_key(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        run(tmp_path / name, "--count", "100", "--seed", "3", "--start", "2026-07-01T08:00:00Z",
            "--out", str(tmp_path / name / "out"))  # fmt: skip
    assert (tmp_path / "a/key.tsv").read_bytes() == (tmp_path / "b/key.tsv").read_bytes()


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start runs of a minute at full speed; each that still lives at the end is killed."""
    processes = []

    def begin() -> subprocess.Popen[bytes]:
        processes.append(
            subprocess.Popen(produce(tmp_path, "--duration", "60"), cwd=ROOT,
                             env=environment(tmp_path), stderr=subprocess.PIPE)
        )  # fmt: skip
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def test_a_killed_run_leaves_a_right_key_and_the_next_one_goes_on_with_it(
    tmp_path: Path, begun: Callable[[], subprocess.Popen[bytes]]
) -> None:
    key = tmp_path / "key.tsv"
    for kill in range(1, 4):
        process, before = begun(), key.stat().st_size if key.exists() else 0
        while not key.exists() or key.stat().st_size < before + 100_000:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.kill()
        process.wait()
        told = rows(key.read_bytes().rpartition(b"\n")[0] + b"\n")
        lines = Counter(digests(logged(tmp_path)))
        missing = Counter(digest for _, digest, _, _ in told) - lines
        assert not missing, "each row's line is in the log"
        assert lines.total() - len(told) <= kill, "at most one line a kill has no row"


def test_half_a_row_is_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "key.tsv"
    first, second = Written(order(1) + b"\n"), Written(BAD + b"\n", "malformed:FIELDS")
    path.write_bytes(HEADER + row(first) + row(second)[:-5])
    with AnswerKey(path) as key:
        key.write(second)
        with pytest.raises(Refused, match="another run"):
            AnswerKey(path)
    assert path.read_bytes() == HEADER + row(first) + row(second)
    path.write_bytes(HEADER[:7])
    with AnswerKey(path):
        pass
    assert path.read_bytes() == HEADER


def test_another_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(b"1,3,Ada\n")
    with pytest.raises(Refused, match="no answer key"):
        AnswerKey(path)
    assert path.read_bytes() == b"1,3,Ada\n"
    with pytest.raises(Refused, match="another file"):
        AnswerKey(tmp_path / "nowhere" / "key.tsv")


def test_a_row_is_ascii_with_four_columns_whatever_the_line() -> None:
    line = "7|1\t2|\\x00\\|é|\x00|\n".encode() + b"\xff"
    text = row(Written(line + b"\n", "malformed:FIELDS"))
    identity, digest, amount, fault = text.decode("ascii").rstrip("\n").split("\t")
    assert identity == r"7|1\x092|\x5Cx00\x5C|\xC3\xA9|\x00"
    assert (digest, amount, fault) == (digests([line])[0], "", "malformed:FIELDS")


@pytest.mark.parametrize("options", [
    {"source": "-", "answer_key": Path("key")}, {"source": "-", "faults": "malformed=0.1"},
    {"source": "-", "duration": 1.0}, {"count": 1, "duration": 1.0},
    {"duration": 1.0, "start": "2026-07-01T08:00:00Z"},
    {"count": 1, "answer_key": Path("key"), "dry_run": True},
    {"count": 1, "answer_key": Path("key"), "start": "2200-07-01T08:00:00Z"},
    {"count": 1, "faults": ""},
])  # fmt: skip
def test_wrong_use(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        command.produce(**options)  # type: ignore[arg-type]
    assert not Path("key").exists()


def test_a_key_is_not_for_some_dates_only() -> None:
    with pytest.raises(UsageError, match="as a whole"):
        verification.verify(answer_key=Path("key"), first="2026-11-01")


KEY = [Written(order(1)), Written(order(2)), Written(order(1), "duplicate")]


def test_rows_after_the_look_and_half_ones_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "key.tsv"
    path.write_bytes(HEADER + row(KEY[0]) + row(KEY[1])[:-9])
    looked = open_key(path)
    with path.open("ab") as file:
        file.write(row(KEY[1])[-9:] + row(KEY[2]))
    assert [batch.num_rows for batch in read_key(looked)] == [1]
    assert [batch.num_rows for batch in read_key(open_key(path))] == [3]


def test_every_fault_that_can_be_planted_is_read(tmp_path: Path) -> None:
    names = ["", *(name for name in NAMES if name != MALFORMED),
             *(f"{MALFORMED}:{reason}" for reason in REASONS)]  # fmt: skip
    path = tmp_path / "key.tsv"
    path.write_bytes(HEADER + b"".join(row(Written(order(1), name)) for name in names))
    read = [name for batch in read_key(open_key(path)) for name in batch["fault"].to_pylist()]
    assert read == names


@pytest.mark.parametrize("text", [b"a|b\tno hash\t\t\n", row(KEY[0])[:-1] + b"\tmore\n", b"\n",
                                  row(KEY[0]).replace(b"65.00", b"65"),
                                  row(KEY[0])[:-1] + b"late-years\n",
                                  row(KEY[0])[:-1] + b"malformed:CONFLICT\n"])  # fmt: skip
def test_a_damaged_key_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "key.tsv"
    path.write_bytes(HEADER + row(KEY[0]) + text)
    with pytest.raises(Refused, match="Row 3 of"):
        list(read_key(KeyFile(path, path.stat().st_size)))
    path.write_bytes(b"something else\n")
    with pytest.raises(Refused, match="is no answer key"):
        open_key(path)
    with pytest.raises(Refused, match="cannot be read"):
        open_key(tmp_path / "none")


def test_a_device_is_no_answer_key() -> None:
    with pytest.raises(Refused, match="no ordinary file"):
        AnswerKey(Path("/dev/null"))
