"""Statements run one after the other, and what they give as a table, CSV or JSON."""

import csv
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from hive.session import Result, Session
from pipeline.console import err, out, print_json
from pipeline.progress import working
from pipeline.table import show_table, to_text

TABLE_ROWS: Final = 1000
"""A table is for reading; --csv and --json give all rows."""


class Form(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def run_all(session: Session, statements: Sequence[str], form: Form) -> None:
    """Run statements and print what they give; as CSV and JSON the result of the last alone.

    Raises what Session.result raises; the statements after it are not run then.
    """
    for number, text in enumerate(statements, 1):
        is_last = number == len(statements)
        with ExitStack() as stack:
            with working("Hive is asked"):
                result = stack.enter_context(session.result(text))
            if result is None:
                err.print("ok")
                if form is Form.JSON and is_last:
                    print_json([])
            elif form is Form.TABLE:
                _print_table(result)
            elif not is_last:
                err.print(f"result of statement {number} is not shown")
            elif form is Form.CSV:
                _print_csv(result)
            else:
                print_json(list(json_rows(result)))


def _print_table(result: Result) -> None:
    rows = list(islice(result.rows, TABLE_ROWS))
    show_table([column.name for column in result.columns], rows, out)
    if next(result.rows, None) is not None:
        err.print(f"the first {TABLE_ROWS:,} rows; --csv and --json give all")
    else:
        err.print(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}")


def _print_csv(result: Result) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(column.name for column in result.columns)
    for row in result.rows:
        writer.writerow("" if value is None else to_text(value) for value in row)


def json_rows(result: Result) -> Iterator[dict[str, Any]]:
    """Give each row by its columns' names, its values as they are in JSON."""
    names = [column.name for column in result.columns]
    for row in result.rows:
        yield dict(zip(names, map(_json_value, row), strict=True))


def _json_value(value: Any) -> Any:
    """DECIMAL as its digits, TIMESTAMP as ISO, BINARY as text; JSON has no NaN: as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value)):
        return to_text(value)
    return value
