"""`replay`: a real week to the cent, and dirty exports row by row."""

import csv
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import Refused
from pipeline.order import OrderLine, parse
from pipeline.places import Places
from pipeline.settings import ROOT
from producer.receipts import Rejected
from producer.replay import RejectedRows
from tests.shared_data import PRODUCTS, RECEIPTS, require_data
from tests.unit.receipt_rows import HEADER, row

COMMAND = (
    "import typer; from pipeline.commands.replay import replay;"
    "app = typer.Typer(); app.command()(replay); app()"
)


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=ROOT, env=os.environ | {"LOYALTY_DATA": str(data)}, capture_output=True, check=True,
    )  # fmt: skip


def log_of(data: Path) -> list[bytes]:
    return [
        line for path in sorted(Places(data).order_log.iterdir())
        for line in path.read_bytes().splitlines()
    ]  # fmt: skip


def test_a_real_week_to_the_cent(tmp_path: Path) -> None:
    require_data()
    arguments = (str(RECEIPTS), "--products", str(PRODUCTS), "--json")
    report = json.loads(run(tmp_path, *arguments).stdout)
    assert (report["rows"], report["lines"], report["rejected"]) == (8203, 8203, 0)
    assert report["amount"] == "36515.05"
    assert report["rejected_file"] is None
    assert not (tmp_path / "rejected").exists()
    lines = log_of(tmp_path)
    orders = [order for line in lines if isinstance(order := parse(line), OrderLine)]
    assert len(orders) == 8203
    assert sum(o.amount for o in orders) == Decimal("36515.05")
    assert sum(o.amount for o in orders if o.customer_id) == Decimal("36502.05")
    assert len({o.identity() for o in orders}) == 8203
    run(tmp_path, *arguments)
    again = log_of(tmp_path)
    assert again == lines + lines


def test_an_unknown_time_zone_is_wrong_usage(tmp_path: Path) -> None:
    export = tmp_path / "receipts.csv"
    export.write_text(f"{HEADER}\n{row()}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pipeline", "replay", str(export), "--time-zone", "Mars/X"]
    environment = os.environ | {"LOYALTY_DATA": str(tmp_path / "var")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"'Mars/X' is no time zone" in done.stderr


def test_rejected_rows_are_kept_one_by_one_and_counted(tmp_path: Path) -> None:
    export = tmp_path / "dirty.csv"
    bad = row(staff_id="\xff", quantity='"a,b"').encode("latin-1")
    export.write_bytes("\n".join([HEADER, row(), row(), ""]).encode() + bad + b"\n")
    rejected = tmp_path / "rejected.csv"
    data = tmp_path / "var"
    done = run(data, str(export), "--rejected", str(rejected))
    assert b"1 lines, 2.50 in all" in done.stdout
    assert b"2 rows rejected" in done.stdout
    with rejected.open(newline="", encoding="utf-8", errors="surrogateescape") as stream:
        header, again, broken = csv.reader(stream)
    assert header == ["row", "reason", "raw"]
    assert again == ["3", "row 2 again", row()]
    assert broken[:2] == ["4", "not UTF-8"]
    assert broken[2].encode("utf-8", "surrogateescape") == bad
    assert len(log_of(data)) == 1


def test_rejected_rows_go_into_the_data_folder_by_default(tmp_path: Path) -> None:
    export = tmp_path / "dirty.csv"
    export.write_text(f"{HEADER}\n{row(quantity='x')}\n")
    report = json.loads(run(tmp_path, str(export), "--json").stdout)
    (file,) = (tmp_path / "rejected").iterdir()
    assert report["rejected_file"] == str(file)
    assert file.name.startswith("dirty-")


def test_a_file_of_rejected_rows_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    path.touch()
    with RejectedRows(path) as rejects, pytest.raises(Refused, match="there already"):
        rejects.write(Rejected(2, "empty row", b""))


@pytest.mark.parametrize("name", ["there.csv", "there.csv/new.csv", "link.csv"])
def test_where_rejected_rows_go_is_looked_at_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    export = tmp_path / "clean.csv"
    export.write_text(f"{HEADER}\n{row()}\n")
    (tmp_path / "there.csv").touch()
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere")
    data = tmp_path / "var"
    command = [sys.executable, "-m", "pipeline", "replay", str(export), "--rejected"]
    done = subprocess.run(
        [*command, str(tmp_path / name)], cwd=ROOT, env=os.environ | {"LOYALTY_DATA": str(data)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "give --rejected another name" in done.stderr
    assert not data.exists()


def test_no_row_is_rejected_in_part_on_a_full_disk(tmp_path: Path) -> None:
    export = tmp_path / "dirty.csv"
    export.write_text("\n".join([HEADER, *(row(quantity="x" * 90) for _ in range(50))]) + "\n")
    rejected = tmp_path / "rejected.csv"
    command = [sys.executable, "-m", "pipeline", "replay", str(export)]
    limited = 'trap "" XFSZ; ulimit -f 8; exec "$@"'  # blocks of 512 bytes
    done = subprocess.run(
        ["sh", "-c", limited, "sh", *command, "--rejected", str(rejected)],
        cwd=ROOT, env=os.environ | {"LOYALTY_DATA": str(tmp_path / "var")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "No room for another rejected row" in done.stderr
    kept = rejected.read_bytes()
    assert 2000 < len(kept) <= 4096
    assert kept.endswith(b"\n")


def test_another_time_zone(tmp_path: Path) -> None:
    export = tmp_path / "r.csv"
    export.write_text(f"{HEADER}\n{row()}\n")
    run(tmp_path, str(export), "--time-zone", "UTC")
    (line,) = log_of(tmp_path)
    assert line.startswith(b"558|1554120283000|")
