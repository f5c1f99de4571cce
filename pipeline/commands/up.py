"""`up`: everything from nothing, or whatever is down."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.commands.processes import refuse_containers
from pipeline.commands.status import show_status
from pipeline.console import err, out
from pipeline.endings import leaving
from pipeline.errors import Refused, UsageError
from pipeline.programme import read_programme
from pipeline.progress import working
from pipeline.settings import read_settings
from pipeline.traffic_options import Redemptions, Refunds, Shape

if TYPE_CHECKING:
    from cluster.stack import Stack
    from cluster.startup import Step


def up(  # noqa: PLR0917 (options have no order)
    empty: Annotated[
        bool, typer.Option("--empty", help="No invented members and no demo producer.")
    ] = False,
    rate: Annotated[
        str | None, typer.Option(help="The demo producer's rate: 30s, 5/s, 12/min, max …")
    ] = None,
    shape: Shape = None,
    refunds: Refunds = None,
    redemptions: Redemptions = None,
    history: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=5000,
            metavar="ORDERS",
            help="Orders of the last thirty days that the demo's first start invents; default"
            " 3000, 0 for none.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start the whole pipeline; again, it starts only what is down.

    The first start invents members and their orders of the last thirty days, in a rush-hour shape.

    Example: ./loyalty up --rate 5/s
    """
    from cluster.stack import Stack
    from cluster.stamp import TILLS, check_unstamped, read_stamp
    from pipeline.lock import only_one

    settings = read_settings()
    refuse_containers(settings, "up", "docker compose up -d --wait")
    empty = empty or not settings.producer
    traffic = {"shape": shape, "refunds": refunds, "redemptions": redemptions}
    given = {"rate": rate} | traffic | {"history": history or None}
    if empty and (names := [f"--{name}" for name, value in given.items() if value is not None]):
        raise UsageError(
            "--empty (and LOYALTY_PRODUCER=0) starts no producer, so it takes no"
            f" {', '.join(names)}; leave one out."
        )
    check_asked(rate, traffic)
    stack = Stack(settings, read_programme(settings.programme))
    if read_stamp(settings) is None:
        check_unstamped(settings, TILLS)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (
        leaving(
            "what has been started runs on; `./loyalty up` goes on, `./loyalty down` stops it."
        ),
        only_one(stack.places.run / "up.lock", "An `up` of this data folder"),
    ):
        _start(stack, empty=empty, rate=rate, traffic=traffic, history=history)


def check_asked(rate: str | None, traffic: dict[str, Any]) -> None:
    """Raise UsageError for what no producer can be asked for, before anything is started."""
    from producer.rate import check_word
    from producer.traffic import choose_traffic

    if rate is not None:
        check_word(rate)
    choose_traffic(**traffic)


def _start(
    stack: "Stack", *, empty: bool, rate: str | None, traffic: dict[str, Any], history: int | None
) -> None:
    from cluster import stamp
    from cluster.boot import note_boot
    from cluster.demo import demo_steps, settle_history

    settings, programme = stack.settings, stack.programme
    found = stamp.read_stamp(settings)
    past = None
    if found is not None:
        stamp.check_stamp(found, settings, programme.time_zone)
        past = settle_history(stack, found, empty=empty, asked=history)
    jars = make_ready(stack)
    if found is None:
        begun = "empty" if empty else "demo"
        found = stamp.write_stamp(settings, programme.time_zone, begun)
        past = settle_history(stack, found, empty=empty, asked=history)
    fresh = not stack.supervisor.is_running()
    if fresh and note_boot(stack.places):
        err.print(
            "the machine went down under the stack: Flume reads the order log again, for what Kafka"
            " may have lost, and what is there already is dropped"
        )
    stack.prepare(jars)
    steps = stack.start_steps(found, jars)
    steps += demo_steps(
        stack, found, empty=empty, rate=rate, traffic=traffic, past=past, fresh=fresh
    )
    run_shown(steps, stack.halt)
    show_status(stack)
    out.print(
        "\nTry next:", *(f"  ./loyalty {words}" for words in next_commands(found.begun)), sep="\n"
    )


def make_ready(stack: "Stack") -> dict[str, Path]:
    """End what a killed supervisor has left, look at the machine, and fetch the jars.

    Raises Refused where something stands in the way of a start.
    """
    from cluster.given import ask_given
    from cluster.shutdown import end_orphans

    if not stack.supervisor.is_running():
        orphans, _killed = end_orphans(stack)
        if orphans:
            err.print(f"ended {orphans} processes that a killed supervisor had left running")
    if findings := stack.findings():
        sentences = "\n  ".join(finding.sentence() for finding in findings)
        raise Refused(f"`up` cannot start:\n  {sentences}")
    if stack.settings.given:
        with working("asking the given servers"):
            ask_given(stack.settings)
    return _fetch_jars()


def run_shown(steps: "list[Step]", halt: threading.Event) -> None:
    """Run the steps of a start, and say of each that it is done, and in what time."""
    from cluster.startup import run_steps

    titles: list[str] = []
    with working("starting", "steps") as progress:

        def done(step: "Step", seconds: float) -> None:
            titles.append(step.title)
            err.print(f"  {step.title} [dim]{seconds:.1f} s[/dim]")
            progress(len(titles), len(steps))

        run_steps(steps, done, halt)


def next_commands(begun: str) -> tuple[str, str, str]:
    """Give three commands to try after a start, with invented data or with a chain's own."""
    if begun == "empty":
        return "customers load CUSTOMERS.csv", "replay RECEIPTS.csv", "verify --wait"
    newest = "select * from loyalty order by spnd_amt desc limit 5"
    return "rate 5/s", f'sql "{newest}"', "verify --wait"


def _fetch_jars() -> dict[str, Path]:
    from cluster.classes import compile_all
    from cluster.jars import check_jars, resolve_jars

    with working("fetching", "jars") as progress:
        jars = resolve_jars(progress)
        check_jars(jars)
        compile_all(jars)
    return jars
