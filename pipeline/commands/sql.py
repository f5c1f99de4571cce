"""`sql`: statements for Hive, results as a table, CSV or JSON."""

import csv
import math
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.console import err, out, print_json
from pipeline.errors import UsageError
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from hive.session import Result

TABLE_ROWS: Final = 1000
"""A table is for reading; --csv and --json give all rows."""


def sql(
    statement: Annotated[
        str | None, typer.Argument(help="A statement of HiveQL; several are separated by ;")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="Read the statements from a file.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header line.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON array, one object a row.")
    ] = False,
) -> None:
    """Ask Hive: the tables are transactions_cln, quarantine, customers_cln and loyalty.

    Of several statements --csv and --json give the result of the last. NULL is null in JSON
    and empty in CSV, TIMESTAMPs are UTC.

    Example: ./loyalty sql "select count(*), sum(odr_prc) from transactions_cln"
    """
    if (statement is None) == (file is None):
        raise UsageError("Give either a statement in quotes or -f FILE.")
    if as_csv and as_json:
        raise UsageError("Give either --csv or --json.")
    from hive.session import connect
    from hive.sql import statements

    given = list(statements(_read(file) if statement is None else statement))
    if not given:
        raise UsageError("There is no statement to run; give one in quotes, or a file with one.")
    settings = read_settings()
    with connect("127.0.0.1", settings.hiveserver2_port) as session:
        for number, text in enumerate(given, 1):
            with ExitStack() as stack:
                with err.status("Hive is asked …"):
                    result = stack.enter_context(session.result(text))
                if result is None:
                    err.print("ok")
                    if as_json and number == len(given):
                        print_json([])
                elif not (as_csv or as_json):
                    _print_table(result)
                elif number < len(given):
                    err.print(f"result of statement {number} is not shown")
                else:
                    (_print_csv if as_csv else _print_json)(result)


def _read(file: Path | None) -> str:
    try:
        return (file or Path()).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageError(f"{file} cannot be read: {reason}.") from error


def _print_table(result: "Result") -> None:
    from pipeline.table import show_table

    rows = list(islice(result.rows, TABLE_ROWS))
    show_table([column.name for column in result.columns], rows, out)
    if next(result.rows, None) is not None:
        err.print(f"the first {TABLE_ROWS:,} rows; --csv and --json give all")
    else:
        err.print(f"{len(rows):,} row{'' if len(rows) == 1 else 's'}")


def _print_csv(result: "Result") -> None:
    from pipeline.table import to_text

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(column.name for column in result.columns)
    for row in result.rows:
        writer.writerow("" if value is None else to_text(value) for value in row)


def _print_json(result: "Result") -> None:
    print_json(list(_objects(result)))


def _objects(result: "Result") -> Iterator[dict[str, Any]]:
    names = [column.name for column in result.columns]
    for row in result.rows:
        yield dict(zip(names, map(_json_value, row), strict=True))


def _json_value(value: Any) -> Any:
    """DECIMAL as its digits, TIMESTAMP as ISO, BINARY as text; JSON has no NaN: as text."""
    from pipeline.table import to_text

    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value)):
        return to_text(value)
    return value
