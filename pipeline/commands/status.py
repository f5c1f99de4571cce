"""`status`: everything of the stack on one screen, once or live."""

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import psutil
import typer

from pipeline.console import out, print_json
from pipeline.endings import leaving
from pipeline.errors import UsageError
from pipeline.programme import read_programme
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from cluster.stack import Stack

EVERY_SECONDS: Final = 2


@leaving()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Keep it live until Ctrl-C.")
    ] = False,
) -> None:
    """Show each component, how each hop of the path moves, the quarantine, the disk, the refresh.

    A time below ten seconds is shown as "<10 s"; lines/s are those of the last minute.

    Example: ./loyalty status --watch
    """
    from cluster.stack import Stack

    if watch and as_json:
        raise UsageError("--watch draws a screen and --json prints one object; leave one out.")
    if watch and (not out.is_terminal or out.is_dumb_terminal):
        raise UsageError(
            "--watch needs a terminal; leave it out to print the status once, or ask for --json."
        )
    settings = read_settings()
    stack = Stack(settings, read_programme(settings.programme))
    if as_json:
        from cluster.report import describe

        print_json(describe(stack, _questions_seconds()))
    elif watch:
        watch_status(stack)
    else:
        show_status(stack, _questions_seconds())


def _questions_seconds() -> float:
    """Give what this process, since its beginning, leaves to the questions."""
    from cluster.health import patience

    return patience(time.time() - psutil.Process().create_time())


def show_status(stack: "Stack", seconds: float | None = None) -> None:
    """Print the status for people. seconds: for its questions, as `describe` takes them."""
    from cluster.report import describe
    from pipeline.screen import draw

    out.print(draw(describe(stack, seconds)))


def watch_status(stack: "Stack") -> None:
    """Draw the status again and again on the terminal's other screen, until Ctrl-C."""
    from rich.live import Live

    from cluster.report import describe
    from pipeline.screen import fit

    pause = threading.Event()  # never set: its wait is the pause between two looks
    with suppress(KeyboardInterrupt), Live(console=out, screen=True, auto_refresh=False) as live:
        while True:
            live.update(fit(describe(stack), out), refresh=True)
            pause.wait(EVERY_SECONDS)
