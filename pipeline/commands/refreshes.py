"""`refreshes`: every run of the refresh, and when the next one is due."""

from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.console import err, out, print_json
from pipeline.endings import leaving
from pipeline.places import Places
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from hive.runs import Run

MOST_DATES: Final = 2
"""So many dates of a run are named in the table."""


@leaving()
def refreshes(
    last: Annotated[int, typer.Option("--last", min=1, help="How many, the newest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list.")] = False,
) -> None:
    """List the runs of the refresh: when, why, the snapshots made, rows, seconds, what failed.

    Example: ./loyalty refreshes --last 50
    """
    from hive.runs import next_run, read_runs
    from pipeline.table import show_table

    settings = read_settings()
    places = Places(settings.data)
    runs = list(islice(read_runs(places), last))
    if as_json:
        print_json([asdict(run) | {"outcome": run.outcome} for run in runs])
        return
    if runs:
        columns = ("at", "reason", "outcome", "dates", "rows", "seconds")
        show_table(columns, map(_row, runs), out)
    else:
        err.print("no refresh yet; `./loyalty refresh` makes today's snapshot")
    for run in reversed([run for run in runs if run.error]):
        err.print(f"{run.at} {run.outcome}: {run.error}", markup=False, soft_wrap=True)
    if due := next_run(places):
        err.print(f"next: {due}")
    elif settings.is_scheduled:
        err.print("the schedule does not run; `./loyalty status` tells why")
    else:
        err.print("no schedule: LOYALTY_REFRESH and LOYALTY_REFRESH_NIGHTLY are off")


def _row(run: "Run") -> tuple[str, str, str, str, int, float]:
    named = ", ".join(run.dates[-MOST_DATES:])
    more = len(run.dates) - MOST_DATES
    dates = f"{named} and {more} more" if more > 0 else named
    return run.at, run.reason, run.outcome, dates, run.rows, run.seconds
