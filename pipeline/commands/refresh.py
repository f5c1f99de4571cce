"""`refresh`: a snapshot of table loyalty."""

import time
from datetime import date
from typing import Annotated

import typer

from pipeline.console import err, out, print_json
from pipeline.dates import parse_date
from pipeline.endings import leaving
from pipeline.places import Places
from pipeline.programme import calendar, read_programme
from pipeline.progress import display
from pipeline.settings import read_settings
from pipeline.signals import ends_once


def refresh(
    data_dt: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="The business date; today by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Make the loyalty snapshot of a business date: every member with the spend up to it.

    Running it again replaces the snapshot; who queries meanwhile sees the old one or the new one.
    Snapshots of the last seven days that late orders or new members touched are made again too.

    Example: ./loyalty refresh --data-dt 2019-04-05
    """
    from hive import refresh as stage

    settings = read_settings()
    programme = read_programme(settings.programme)
    day = calendar(programme).today() if data_dt is None else parse_date("--data-dt", data_dt)
    begun = time.monotonic()
    with (
        ends_once(),  # a run that SIGTERM ends is listed too
        leaving(f"the snapshot of {day} is as it was, or whole and new; run `refresh` again."),
        display() as begin,
    ):
        begin(f"snapshot of {day}", "")
        made = stage.refresh(settings, Places(settings.data), day,
                             told=lambda *one: begin(title(*one), ""))  # fmt: skip
    seconds = time.monotonic() - begun
    (snapshot,) = (one for one in made if one.data_dt == day)
    restated = [str(one.data_dt) for one in made if one.data_dt != day]
    if as_json:
        print_json(
            {
                "data_dt": snapshot.data_dt,
                "rows": snapshot.rows,
                "spent": snapshot.spent,
                "location": snapshot.location,
                "seconds": round(seconds, 2),
                "restated": restated,
            }
        )
        return
    out.print(
        f"loyalty of {day}: {snapshot.rows:,} customers, {snapshot.spent:,} {programme.currency}"
    )
    if restated:
        err.print(f"restated, because orders or members came since: {', '.join(restated)}")
    err.print(f"{seconds:.1f} s; look: ./loyalty sql --sample best_customers")


def title(day: date, number: int, count: int) -> str:
    """Name the snapshot at hand, and which one of the dates it is where there are several."""
    return f"snapshot of {day}" + (f", date {number} of {count}" if count > 1 else "")
