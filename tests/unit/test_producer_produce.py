"""`produce`: foreground runs, through the real command line."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.commands.produce import produce
from pipeline.errors import Refused, UsageError
from pipeline.order import OrderLine, parse
from pipeline.places import Places
from pipeline.settings import ROOT
from producer.log import now_ms
from producer.members import write_members
from producer.produce import Tally, instants, parse_start, write_lines

NEW_YORK = ZoneInfo("America/New_York")
LONG = b"x" * 65_537
COMMAND = (
    "import typer; from pipeline.commands.produce import produce;"
    "app = typer.Typer(); app.command()(produce); app()"
)


def run(
    data: Path, *arguments: str, stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=ROOT, env=os.environ | {"LOYALTY_DATA": str(data)}, input=stdin,
        capture_output=True, check=True,
    )  # fmt: skip


def orders(lines: Sequence[bytes]) -> list[OrderLine]:
    read = [parse(line) for line in lines]
    assert all(isinstance(order, OrderLine) for order in read)
    return [order for order in read if isinstance(order, OrderLine)]


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_the_same_seed_and_start_give_the_same_bytes(tmp_path: Path) -> None:
    given = ("--count", "50", "--rate", "5/s", "--seed", "7", "--start", "2026-07-01T08:00:00Z")
    for out in ("a", "b"):
        run(tmp_path, *given, "--out", str(tmp_path / out))
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert run(tmp_path, *given, "--dry-run").stdout == content(tmp_path / "a")
    assert not Places(tmp_path).order_log.exists()
    other = run(tmp_path, *given, "--seed", "8", "--dry-run").stdout
    first = {order.order_id for order in orders(content(tmp_path / "a").splitlines())}
    assert first.isdisjoint(order.order_id for order in orders(other.splitlines()))
    assert len(first) == 50


def test_orders_happen_at_start_and_every_interval_after(tmp_path: Path) -> None:
    lines = run(
        tmp_path, "--count", "4", "--rate", "30s", "--start", "1782907200000", "--dry-run"
    ).stdout.splitlines()
    happened = sorted({order.ordered_at for order in orders(lines)})
    assert happened == [1_782_907_200_000 + n * 30_000 for n in range(4)]


def test_a_rush_hour_day_from_a_start_on_with_refunds(tmp_path: Path) -> None:
    given = ("--count", "200", "--rate", "432s", "--seed", "7", "--start", "2026-07-01T00:00",
             "--shape", "rush-hour", "--refunds", "0.2")  # fmt: skip
    first = run(tmp_path, *given, "--dry-run").stdout
    assert run(tmp_path, *given, "--dry-run").stdout == first
    read = orders(first.splitlines())
    hours = [datetime.fromtimestamp(order.ordered_at / 1000, tz=NEW_YORK).hour for order in read]
    assert sum(7 <= hour < 10 for hour in hours) > 50
    assert sum(hour < 5 for hour in hours) < 10
    refunds = [order for order in read if order.event == "REFUND"]
    assert 15 < len({order.order_id for order in refunds}) < 60
    assert {order.ref for order in refunds} <= {order.order_id for order in read}


def test_without_start_orders_happen_now_at_the_rate(tmp_path: Path) -> None:
    write_members(Places(tmp_path), [(7, 3)])
    before, began = now_ms(), time.monotonic()
    done = run(tmp_path, "--count", "50", "--rate", "50/s", "--json")
    took = time.monotonic() - began
    report = json.loads(done.stdout)
    written = content(Places(tmp_path).order_log)
    assert report["orders"] == 50
    assert (report["lines"], report["bytes"]) == (written.count(b"\n"), len(written))
    assert report["lines_per_second"] == pytest.approx(
        report["lines"] / report["seconds"], rel=0.01
    )
    assert 0.9 < report["seconds"] < took
    read = orders(written.splitlines())
    assert {order.customer_id for order in read} <= {7, None}
    assert all(before <= order.ordered_at <= now_ms() for order in read)


def test_the_report_is_the_result(tmp_path: Path) -> None:
    done = run(tmp_path, "--count", "3")
    assert done.stdout.count(b"\n") == 1
    assert b"3 orders, " in done.stdout
    assert b"lines/s" in done.stdout
    assert b"bytes" in done.stdout


def test_given_lines_go_byte_for_byte(tmp_path: Path) -> None:
    given = b"good\n\nbad\xff\x00\r\n" + LONG[1:] + b"\nlast without end"
    run(tmp_path, "--from", "-", stdin=given)
    assert content(Places(tmp_path).order_log) == given + b"\n"


def test_given_lines_from_a_file(tmp_path: Path) -> None:
    given = tmp_path / "lines.txt"
    given.write_bytes(b"one\ntwo\n")
    run(tmp_path / "var", "--from", str(given))
    assert content(Places(tmp_path / "var").order_log) == b"one\ntwo\n"


def test_no_lines_at_all(tmp_path: Path) -> None:
    report = json.loads(run(tmp_path, "--from", "-", "--json", stdin=b"").stdout)
    assert (report["orders"], report["lines"]) == (None, 0)
    assert list(Places(tmp_path).order_log.iterdir()) == []


def test_a_file_with_a_line_too_long_is_refused_before_anything_is_written() -> None:
    written: list[bytes] = []
    stream = io.BytesIO(b"one\ntwo\n" + LONG + b"\nfour\n")
    with pytest.raises(Refused, match=r"Line 3 .*written before it: 0"):
        write_lines(stream, written.append, Tally(), progress=len_of)
    assert written == []


def test_a_pipe_is_refused_at_the_line(tmp_path: Path) -> None:
    written: list[bytes] = []
    reader, writer = os.pipe()
    given = tmp_path / "given"
    given.write_bytes(b"one\ntwo\n" + LONG)
    with (
        subprocess.Popen(["cat", str(given)], stdout=writer) as cat,
        os.fdopen(reader, "rb") as in_,
    ):
        os.close(writer)
        with pytest.raises(Refused, match=r"Line 3 .*written before it: 2"):
            write_lines(in_, written.append, Tally(), progress=len_of)
        in_.read()
        assert cat.wait() == 0
    assert written == [b"one\n", b"two\n"]


def len_of(more: int) -> int:
    """Take progress and show nothing."""
    return more


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({}, "--count N"),
        ({"source": "-", "count": 3}, "leave --count"),
        ({"source": "-", "rate": "5/s"}, "leave --count"),
        ({"source": "-", "seed": 1}, "leave --count"),
        ({"source": "none.csv"}, "none.csv"),
        ({"source": "-", "shape": "rush-hour"}, "leave --count"),
        ({"count": 3, "refunds": 0.7}, "at most 0.5"),
        ({"count": 3, "rate": "pause"}, "'pause' is no rate"),
        ({"count": 3, "rate": "0"}, "'0' is no rate"),
        ({"count": 3, "start": "yesterday"}, "'yesterday' is no instant"),
        ({"count": 3, "start": "1970-01-01T00:00:00Z"}, "13 digits"),
        ({"count": 3, "dry_run": True, "as_json": True}, "--dry-run"),
    ],
)
def test_wrong_use(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        produce(**wrong)  # type: ignore[arg-type]


def test_the_last_order_has_to_fit_as_well() -> None:
    with pytest.raises(UsageError, match="fewer orders"):
        instants(9_999_999_999_000, 1_000_000_000, 3)


@pytest.mark.parametrize(
    "text", ["1782907200000", "2026-07-01T12:00:00Z", "2026-07-01T08:00:00-04:00",
             "2026-07-01T08:00", "2026-07-01 08:00:00"],
)  # fmt: skip
def test_forms_of_an_instant(text: str) -> None:
    assert parse_start(text, NEW_YORK) == 1_782_907_200_000
