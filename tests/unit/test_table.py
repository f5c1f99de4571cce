"""Rows as a table on terminals and elsewhere; servers that accept a connection and say nothing."""

import io
import socket
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

import pytest
from rich.console import Console

from hbase.table import Tables
from hive.session import connect
from pipeline.errors import Unavailable
from pipeline.table import show_table

ROW: list[object] = [
    None,
    "[red]x[/]",
    Decimal("-0.10"),
    datetime(2024, 3, 10, 7, 30),  # noqa: DTZ001 (Hive's TIMESTAMP has no zone)
    b"\xff\x1b[2J",
]
COLUMNS = ["a", "b", "c", "d", "e"]


def shown(columns: list[str], rows: list[list[object]], width: int | None = None) -> str:
    file = io.StringIO()
    show_table(columns, rows, Console(file=file, width=width, force_terminal=width is not None))
    return file.getvalue()


def test_piped_rows_are_one_line_each_without_colour_or_markup() -> None:
    header, row, end = shown(COLUMNS, [ROW]).split("\n")
    assert header.split() == COLUMNS
    assert row.split() == ["NULL", "[red]x[/]", "-0.10", "2024-03-10", "07:30:00", "\\xff\\x1b[2J"]
    assert end == ""


def test_piped_rows_are_never_folded() -> None:
    lines = shown([f"column{n}" for n in range(40)], [["x" * 30] * 40]).splitlines()
    assert len(lines) == 2
    assert len(lines[1]) > 1200


def test_numbers_stand_to_the_right() -> None:
    assert shown(["n", "t"], [[1, "a"], [10, "b"]]).splitlines() == [" n  t", " 1  a", "10  b"]


def test_a_long_value_is_cut() -> None:
    assert shown(["t"], [["x" * 70_000]]).splitlines()[1] == "x" * 199 + "…"


def test_a_table_too_wide_for_a_terminal_becomes_records() -> None:
    text = shown([f"column{n}" for n in range(20)], [["value"] * 20], width=80)
    assert "row 1" in text
    assert max(map(len, text.splitlines())) <= 80


def test_no_rows_show_the_columns() -> None:
    assert shown(["a", "b"], []) == "a  b\n"


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers, as of a stopped process."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def ask_hbase(port: int) -> object:
    with Tables("127.0.0.1", port, timeout=0.5) as tables:
        return tables.orders(7, 1, 0)


def ask_hive(port: int) -> object:
    with connect("127.0.0.1", port, timeout=0.5) as session:
        return session.rows("select 1")


@pytest.mark.parametrize("ask", [ask_hbase, ask_hive])
def test_a_server_that_does_not_answer_ends_in_a_sentence(
    ask: Callable[[int], object], silent_port: int
) -> None:
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=rf"127\.0\.0\.1:{silent_port}.*loyalty status"):
        ask(silent_port)
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("ask", [ask_hbase, ask_hive])
def test_nobody_at_the_port_ends_in_a_sentence(ask: Callable[[int], object]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = int(unused.getsockname()[1])
    with pytest.raises(Unavailable, match=f"{port}"):
        ask(port)
