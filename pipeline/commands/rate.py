"""`rate`: how fast invented orders come."""

from typing import Annotated

import typer

from pipeline.console import err, out
from pipeline.places import Places
from pipeline.settings import read_settings


def rate(
    word: Annotated[
        str,
        typer.Argument(
            help="30s (one order every 30 seconds), 0.2/s, 500/s, 12/min, max, pause or resume."
        ),
    ],
) -> None:
    """Ask the demo producer for another rate; it acts within a second, and keeps it.

    Example: ./loyalty rate 5/s
    """
    from producer.rate import ask_rate

    places = Places(read_settings().data)
    asked = ask_rate(places, word)
    out.print(f"asked for {asked.rate.word}" + (", paused" if asked.paused else ""))
    if asked.paused:
        err.print("no orders are invented until `./loyalty rate resume`")
    elif not _is_running(places):
        err.print("the stack is down; orders begin with the next `./loyalty up`")


def _is_running(places: Places) -> bool:
    """Start the producer where the stack runs without one; False when the stack is down."""
    from cluster.supervision import Supervisor

    supervisor = Supervisor(places)
    if not supervisor.is_running():
        return False
    supervisor.start("producer")
    return True
