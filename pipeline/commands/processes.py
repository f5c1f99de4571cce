"""`down`, `status` and `logs`: the processes of the stack."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from pipeline.console import err, out, print_json
from pipeline.errors import Refused, UsageError
from pipeline.programme import read_programme
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from cluster.stack import Stack


def _stack() -> "Stack":
    from cluster.stack import Stack

    settings = read_settings()
    return Stack(settings, read_programme(settings.programme))


def down(
    purge: Annotated[bool, typer.Option("--purge", help="Remove the data folder too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --purge.")] = False,
) -> None:
    """Stop everything that `up` started, and nothing else.

    Example: ./loyalty down
    """
    from cluster.shutdown import stop_all
    from cluster.stamp import read_stamp
    from pipeline.lock import only_one

    stack = _stack()
    if purge and stack.settings.data.exists() and read_stamp(stack.settings) is None:
        raise Refused(
            f"{stack.settings.data} has no stamp of `up`, so it is not removed; "
            "look at LOYALTY_DATA, or remove it by hand."
        )
    if purge and not yes:
        typer.confirm(f"Remove {stack.settings.data} with all orders in it?", abort=True, err=True)
    if not stack.settings.data.exists():
        err.print("nothing runs, and there is no data folder")
        return
    with only_one(stack.places.run / "up.lock", "A `down` of this data folder"):
        with err.status("stopping …"):
            stopped, killed = stop_all(stack, lambda title: err.print(f"  {title} stopped"))
        for name in killed:
            err.print(f"  {name} did not end by itself and was killed")
        err.print("down" if stopped else "nothing was running")
        if purge:
            shutil.rmtree(stack.settings.data)
            err.print(f"{stack.settings.data} is removed")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show each component, the producer, how far the topic's readers are, the last refresh.

    Example: ./loyalty status --json
    """
    stack = _stack()
    if as_json:
        print_json(_document(stack))
    else:
        show_status(stack)


def _document(stack: "Stack") -> dict[str, Any]:
    from cluster.report import describe

    return describe(stack)


def show_status(stack: "Stack") -> None:
    """Print the status for people."""
    from rich.table import Table

    document = _document(stack)
    table = Table(box=None, pad_edge=False)
    for name, justify in (("component", "left"), ("state", "left"), ("port", "right"),
                          ("memory", "right"), ("restarts", "right")):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    colours = {"answering": "green", "running": "green", "starting": "yellow"}
    for c in document["components"]:
        colour = colours.get(c["state"], "red" if c["wanted"] else "dim")
        memory = f"{c['rss_mib']} MiB" if c["rss_mib"] else ""
        table.add_row(c["title"], f"[{colour}]{c['state']}[/]", str(c["port"] or ""), memory,
                      str(c["restarts"] or ""))  # fmt: skip
    out.print(table)
    for line in _lines(document):
        out.print(line)


def _lines(document: dict[str, Any]) -> list[str]:
    total = sum(c["rss_mib"] for c in document["components"])
    word = "[green]healthy[/]" if document["healthy"] else "[red]not healthy[/]"
    producer, last = document["producer"], document["refresh"]
    lines = [f"{word}, {total} MiB in all"]
    if producer["asked"]:
        measured = producer["measured"]
        rate = "not measured yet" if measured is None else f"measured {measured:.2f} orders/s"
        lines.append(f"producer   asked {producer['asked']}, {rate}")
    else:
        lines.append("producer   none; `./loyalty rate resume` starts invented orders")
    lines += [
        f"[yellow]{c['name']}[/]: {escape(c['reason'])}"
        for c in document["components"]
        if c["reason"] and c["wanted"]
    ]
    lag = ", ".join(f"{reader} {'?' if n is None else n}" for reader, n in document["lag"].items())
    lines.append(f"lag        {lag} lines")
    if last["last"]:
        outcome = "ok" if last["ok"] else f"failed: {last['error']}"
        lines.append(f"refresh    {last['last']}, {outcome}")
    else:
        lines.append("refresh    none yet; `./loyalty refresh` makes today's snapshot")
    return lines


def logs(
    component: Annotated[str, typer.Argument(help="A name that `status --json` lists.")],
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, help="How many.")] = 100,
) -> None:
    """Print the end of a component's log.

    Example: ./loyalty logs flume -f
    """
    import subprocess

    stack = _stack()
    if component not in stack.components:
        known = ", ".join(stack.components)
        raise UsageError(f"There is no component {component!r}; the components are {known}.")
    file: Path = stack.places.logs / f"{component}.log"
    if not file.exists():
        raise Refused(f"{component} has no log yet; `./loyalty up` starts it.")
    # -F goes on across the log's rotation
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), str(file)]
    subprocess.run(command, check=False)
