"""`sql`: statements for Hive, from the command line, a file, the samples, or a prompt."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hive.sample import read_sample, sample_names
from hive.sql import statements
from pipeline.console import out, print_json
from pipeline.endings import leaving
from pipeline.errors import UsageError
from pipeline.places import Places
from pipeline.programme import calendar, read_programme
from pipeline.settings import Settings, read_settings
from pipeline.signals import ends_once


def sql(  # noqa: PLR0917 (options have no order)
    statement: Annotated[
        str | None, typer.Argument(help="A statement of HiveQL; several are separated by ;")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="Read the statements from a file.")
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            "--sample",
            metavar="NAME",
            help="Run one of our own queries.",
        ),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the sample."),
    ] = None,
    samples: Annotated[
        bool, typer.Option("--samples", help="List the samples with their parameters.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV with a header line.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON array, one object a row.")
    ] = False,
) -> None:
    """Ask Hive: the tables are transactions_cln, quarantine, customers_cln and loyalty.

    Without a statement it opens a prompt, or reads the statements from what is piped to it.
    Of several statements --csv and --json give the result of the last. NULL is null in JSON
    and empty in CSV, TIMESTAMPs are UTC.

    Example: ./loyalty sql "select count(*), sum(odr_prc) from transactions_cln"
    """
    if sum((statement is not None, file is not None, sample is not None, samples)) > 1:
        raise UsageError("Give one of these: a statement in quotes, -f FILE, --sample NAME.")
    if as_csv and as_json:
        raise UsageError("Give either --csv or --json.")
    if assignments and sample is None:
        raise UsageError("--set is for --sample NAME; `./loyalty sql --samples` lists them.")
    if samples and as_csv:
        raise UsageError("The samples are listed as text, or with --json; leave --csv out.")
    if samples:
        _list_samples(as_json=as_json)
        return
    from hive.output import Form, run_all
    from hive.session import open_session

    settings = read_settings()
    form = Form.CSV if as_csv else Form.JSON if as_json else Form.TABLE
    if statement is None and file is None and sample is None and _is_terminal():
        from hive.prompt import converse

        converse(partial(open_session, settings), form, Places(settings.data).sql_history)
        return
    if sample is not None:
        text = _fill(sample, _read_assignments(assignments or []), settings)
    else:
        text = _read(file) if statement is None else statement
    given = list(statements(text))
    if not given:
        raise UsageError("There is no statement to run; give one in quotes, or a file with one.")
    with (
        ends_once(),  # SIGTERM ends the statement, too: Hive would compute on
        leaving(
            "Hive is asked to end the statement, in a minute or two; what it had changed stays."
        ),
        open_session(settings) as session,
    ):
        run_all(session, given, form)


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _read(file: Path | None) -> str:
    """Read a file, or standard input where there is none; raises UsageError."""
    try:
        if file is not None:
            return file.read_text(encoding="utf-8")
        # without a standard input at all (`<&-`) there is nothing to read
        return "" if sys.stdin is None else sys.stdin.buffer.read().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageError(f"{file or 'standard input'} cannot be read: {reason}.") from error


def _list_samples(*, as_json: bool) -> None:
    from pipeline.table import show_table

    found = [read_sample(name) for name in sample_names()]
    if as_json:
        print_json([asdict(one) for one in found])
        return
    rows = [
        [one.name, one.purpose, " ".join(f"{p.name}={p.default}" for p in one.parameters)]
        for one in found
    ]
    show_table(["sample", "purpose", "parameters"], rows, out)


def _fill(name: str, given: Mapping[str, str], settings: Settings) -> str:
    today = calendar(read_programme(settings.programme)).today()
    return read_sample(name).statement(given, today)


def _read_assignments(texts: list[str]) -> dict[str, str]:
    """Read NAME=VALUE; raises UsageError for anything else, and for a name that comes twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"--set takes NAME=VALUE, not {text!r}; for example --set days=7.")
        if name in found:
            raise UsageError(f"--set gives {name} twice; give it once.")
        found[name] = value
    return found
