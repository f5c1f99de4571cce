"""`drill`: break a stack of one's own on purpose, and count."""

import sys
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from pipeline.console import err, out, print_json
from pipeline.endings import leaving
from pipeline.progress import working


class Kind(StrEnum):
    """What is broken; `all` is kills and points."""

    KILLS = "kills"
    POINTS = "points"
    OUTAGE = "outage"
    REFEED = "refeed"
    HOSTILE = "hostile"
    DISK = "disk"
    CONTROLS = "controls"
    SOAK = "soak"
    IDLE = "idle"
    GROWTH = "growth"
    ALL = "all"


def drill(  # noqa: PLR0917 (options have no order)
    kind: Annotated[Kind, typer.Argument(help="What is broken; all is kills and points.")],
    only: Annotated[
        str | None, typer.Option(metavar="COMPONENT", help="Break this component alone.")
    ] = None,
    times: Annotated[
        int | None, typer.Option(min=1, help="How often; by default as the drill needs it.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=100_000,
            help="Order lines a second, by default 500; not growth, hostile, idle, refeed.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The same seed gives the same order of blows.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Break a stack of its own under load and count what was lost, duplicated or made wrong.

    It starts servers of its own on free ports, beside whatever runs, and removes them at the end.
    Exit code 0 only when all counts are 0, each component was hit, and the till wrote at least
    90 % of the rate; else the data stays, and the last lines say how to look at it.

    Example: ./loyalty drill kills --only kafka --times 3
    """
    from secrets import randbelow

    from pipeline.commands.processes import refuse_containers
    from pipeline.settings import read_settings

    # no image has the folder drill
    refuse_containers(read_settings(), "drill", "`./loyalty --compose drill` on the host")
    from drill.course import make_plan, mounts, run
    from drill.namespace import enter
    from drill.verdict import show

    asked = make_plan(str(kind), only, times, rate, randbelow(1_000_000) if seed is None else seed)

    if mounts(str(kind)):
        enter([sys.executable, "-m", "pipeline", *sys.argv[1:]])

    def told(sentence: str) -> None:
        clock = datetime.now().astimezone()
        err.print(f"{clock:%H:%M:%S} {sentence}", markup=False, soft_wrap=True)

    with (
        leaving("the drill's stack is down, and its data is removed."),
        working(f"drill {kind}", "turns") as progress,
    ):
        outcome = run(str(kind), replace(asked, progress=progress), told)
    if as_json:
        print_json(outcome.to_json())
    else:
        show(outcome, out)
    if not outcome.ok:
        raise typer.Exit(1)
