"""`up`: everything from nothing, or whatever is down."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from pipeline.commands.processes import show_status
from pipeline.console import err, out
from pipeline.errors import Refused, UsageError
from pipeline.programme import read_programme
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from cluster.stack import Stack


def up(
    empty: Annotated[
        bool, typer.Option("--empty", help="No invented members and no demo producer.")
    ] = False,
    rate: Annotated[
        str | None, typer.Option(help="The demo producer's rate: 30s, 5/s, 12/min, max …")
    ] = None,
) -> None:
    """Start the whole pipeline; again, it starts only what is down.

    Example: ./loyalty up --rate 5/s
    """
    from cluster.stack import Stack
    from cluster.stamp import check_unstamped, read_stamp
    from pipeline.lock import only_one

    settings = read_settings()
    if rate is not None:
        from producer.rate import check_word

        check_word(rate)
        if empty:
            raise UsageError("--empty starts no producer, so it takes no --rate; leave one out.")
    stack = Stack(settings, read_programme(settings.programme))
    if read_stamp(settings) is None:
        check_unstamped(settings)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with only_one(stack.places.run / "up.lock", "An `up` of this data folder"):
        _start(stack, empty=empty, rate=rate)


def _start(stack: "Stack", *, empty: bool, rate: str | None) -> None:
    from cluster import stamp
    from cluster.demo import demo_steps
    from cluster.shutdown import end_orphans
    from cluster.startup import Step, run_steps

    settings, programme = stack.settings, stack.programme
    found = stamp.read_stamp(settings)
    if found is not None:
        stamp.check_stamp(found, settings, programme.time_zone)
    if not stack.supervisor.is_running():
        orphans, _killed = end_orphans(stack)
        if orphans:
            err.print(f"ended {orphans} processes that a killed supervisor had left running")
    if findings := stack.findings():
        sentences = "\n  ".join(finding.sentence() for finding in findings)
        raise Refused(f"`up` cannot start:\n  {sentences}")
    jars = _fetch_jars()
    if found is None:
        begun = "empty" if empty else "demo"
        found = stamp.write_stamp(settings, programme.time_zone, begun)
    fresh = not stack.supervisor.is_running()
    stack.prepare(jars)
    steps = stack.start_steps(found, jars)
    steps += demo_steps(stack, found, empty=empty, rate=rate, fresh=fresh)
    with err.status("starting …"):

        def done(step: Step, seconds: float) -> None:
            err.print(f"  {step.title} [dim]{seconds:.1f} s[/dim]")

        run_steps(steps, done, stack.halt)
    show_status(stack)
    out.print(
        "\nTry next:", *(f"  ./loyalty {words}" for words in next_commands(found.begun)), sep="\n"
    )


def next_commands(begun: str) -> tuple[str, str, str]:
    """Give three commands to try after a start, with invented data or with a chain's own."""
    if begun == "empty":
        return "customers load CUSTOMERS.csv", "replay RECEIPTS.csv", "verify --wait"
    newest = "select * from loyalty order by spnd_amt desc limit 5"
    return "rate 5/s", f'sql "{newest}"', "verify --wait"


def _fetch_jars() -> dict[str, Path]:
    from cluster.jars import check_jars, resolve_jars

    columns = (TextColumn("jars"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("jars", total=None)
        jars = resolve_jars(
            lambda there, wanted: progress.update(task, completed=there, total=wanted)
        )
        check_jars(jars)
    return jars
