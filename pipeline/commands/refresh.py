"""`refresh`: a snapshot of table loyalty."""

from datetime import date
from typing import Annotated

import typer

from pipeline.console import err, out, print_json
from pipeline.errors import UsageError
from pipeline.places import Places
from pipeline.programme import calendar, read_programme
from pipeline.settings import read_settings


def refresh(
    data_dt: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The business date; today by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Make the loyalty snapshot of a business date: every member with the spend up to it.

    Running it again replaces the snapshot; who queries meanwhile sees the old one or the new one.

    Example: ./loyalty refresh --data-dt 2019-04-05
    """
    from hive import refresh as stage

    settings = read_settings()
    programme = read_programme(settings.programme)
    day = calendar(programme).today() if data_dt is None else _parse(data_dt)
    with err.status(f"snapshot of {day} …"):
        snapshot = stage.refresh(settings, Places(settings.data), day)
    if as_json:
        print_json(
            {
                "data_dt": snapshot.data_dt,
                "rows": snapshot.rows,
                "spent": snapshot.spent,
                "location": snapshot.location,
                "seconds": round(snapshot.seconds, 2),
            }
        )
        return
    out.print(
        f"loyalty of {day}: {snapshot.rows:,} customers, {snapshot.spent:,} {programme.currency}"
    )
    err.print(f"{snapshot.seconds:.1f} s; look: ./loyalty sql -f hive/samples/best_customers.sql")


def _parse(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--data-dt {text!r} is no date; give YYYY-MM-DD.") from error
