"""`rate`: how fast invented orders come."""

from typing import Annotated

import typer

from pipeline.console import err, out
from pipeline.endings import leaving
from pipeline.places import Places
from pipeline.settings import Settings, read_settings
from pipeline.traffic_options import Redemptions, Refunds, Shape


@leaving("`./loyalty status` shows what the producer is asked for.")
def rate(
    word: Annotated[
        str | None,
        typer.Argument(
            help="30s (one order every 30 seconds), 0.2/s, 500/s, 12/min, max, pause or resume.",
            show_default=False,
        ),
    ] = None,
    shape: Shape = None,
    refunds: Refunds = None,
    redemptions: Redemptions = None,
) -> None:
    """Ask the demo producer for another rate or shape; it acts within a second, and keeps it.

    What is not named stays; with nothing named, what it is asked for is shown. In a rush-hour shape
    the rate is the day's mean.

    Example: ./loyalty rate 5/s --shape rush-hour
    """
    from producer.members import read_members
    from producer.rate import ask_rate, asked_or_default

    settings = read_settings()
    places = Places(settings.data)
    if word is None and shape is None and refunds is None and redemptions is None:
        out.print(f"asked for {asked_or_default(places).in_full()}")
        return
    asked = ask_rate(places, word, shape=shape, refunds=refunds, redemptions=redemptions)
    out.print(f"asked for {asked.in_full()}")
    if asked.paused:
        err.print("no orders are invented until `./loyalty rate resume`")
    elif not _start_producer(settings):
        err.print("the stack is down; orders begin with the next `./loyalty up`")
    elif not read_members(places):
        err.print(
            "there are no members with a home store to order anything;"
            " `./loyalty customers load FILE.csv` brings them"
        )
    elif asked.rate.word == "max":
        err.print(
            "many times more than the hops after the log files can take: they fall behind, by more"
            " with each second; `./loyalty status` shows how far, and a lower rate lets them catch"
            " up"
        )


def _start_producer(settings: Settings) -> bool:
    """Start the producer where the stack runs without one; False when the stack is down."""
    from cluster.container.care import care_of

    supervisor = care_of(settings)
    if not supervisor.is_running():
        return False
    supervisor.start("producer")
    return True
