"""Rows as a table: folded to a terminal's width, one line a row where it is piped."""

import re
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

Cell = Any
"""A value as it comes from Hive or HBase; None is NULL. A Text keeps its style."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


_MAX_WIDTH: Final = 1_000_000
_CELL_CHARACTERS: Final = 200
"""A quarantined line may be 64 kB long."""


def to_text(value: Cell) -> str:
    """Give a value as text; bytes that are no UTF-8 as \\xNN."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return str(value)


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    console: Console,
    whole: Collection[str] = (),
) -> None:
    """Print a table, numbers to the right, long values cut.

    whole: columns that are never folded, so that a narrow terminal folds the others.
    Control characters are shown as \\xNN: what a till wrote must not steer the terminal.
    """
    content = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for at, name in enumerate(columns):
        values = [row[at] for row in content if row[at] is not None]
        numeric = bool(values) and all(map(_is_number, values))
        table.add_column(
            Text(_visible(name)), justify="right" if numeric else "left", overflow="fold",
            no_wrap=name in whole,
        )  # fmt: skip
    for row in content:
        table.add_row(*map(_cell, row))
    wide = Console(file=console.file, width=_MAX_WIDTH, color_system=None)
    wide.width = Measurement.get(wide, wide.options, table).maximum
    if not console.is_terminal:
        with wide.capture() as captured:
            wide.print(table)
        console.file.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
    elif not whole and wide.width > 1.5 * console.width:
        _show_records(columns, content, console)
    else:
        console.print(table, soft_wrap=False)


def _show_records(columns: Sequence[str], rows: list[list[Cell]], console: Console) -> None:
    """Print each row as a list of names and values: more columns than a terminal has room for."""
    for number, row in enumerate(rows, 1):
        record = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        record.add_column(style="bold")
        record.add_column(overflow="fold")
        for name, value in zip(columns, row, strict=True):
            record.add_row(Text(_visible(name)), _cell(value))
        console.print(Text(f"row {number}", style="dim"))
        console.print(record, soft_wrap=False)


def _cell(value: Cell) -> Text:
    if value is None:
        return Text("NULL", style="dim")
    if isinstance(value, Text):
        return Text(_visible(value.plain), style=value.style)
    text = to_text(value)
    cut = text if len(text) <= _CELL_CHARACTERS else f"{text[: _CELL_CHARACTERS - 1]}…"
    return Text(_visible(cut))


def _visible(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _is_number(value: Cell) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
