"""`down` and `logs`: the processes of the stack."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.console import err
from pipeline.endings import leaving
from pipeline.errors import Refused, UsageError
from pipeline.nearest import nearest
from pipeline.programme import read_programme
from pipeline.progress import working
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from cluster.stack import Stack
    from pipeline.settings import Settings


def _stack() -> "Stack":
    from cluster.stack import Stack

    settings = read_settings()
    return Stack(settings, read_programme(settings.programme))


def refuse_containers(settings: "Settings", command: str, instead: str) -> None:
    """Raise Refused where Docker cares for the components."""
    if settings.containers:
        raise Refused(f"Each component is in a container here; instead of `{command}`: {instead}.")


def down(
    purge: Annotated[bool, typer.Option("--purge", help="Remove the data folder too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --purge.")] = False,
) -> None:
    """Stop everything that `up` started, and nothing else.

    Example: ./loyalty down
    """
    from cluster.shutdown import stop_all
    from cluster.stamp import holds_more, read_stamp
    from pipeline.lock import only_one

    stack = _stack()
    refuse_containers(stack.settings, "down", "docker compose down (-v removes the data too)")
    if purge and read_stamp(stack.settings) is None and holds_more(stack.settings):
        raise Refused(
            f"{stack.settings.data} has no stamp of `up`, so it is not removed; "
            "look at LOYALTY_DATA, or remove it by hand."
        )
    if purge and not yes:
        typer.confirm(f"Remove {stack.settings.data} with all orders in it?", abort=True, err=True)
    if not stack.settings.data.exists():
        err.print("nothing runs, and there is no data folder")
        return
    with (
        leaving("what has stopped is down, the rest runs on; `./loyalty down` goes on."),
        only_one(stack.places.run / "up.lock", "A `down` of this data folder"),
    ):
        alive, titles = len(stack.own) - len(stack.down()), list[str]()
        with working("stopping", "components") as progress:

            def told(title: str) -> None:
                titles.append(title)
                err.print(f"  {title} stopped")
                progress(len(titles), alive)

            stopped, killed = stop_all(stack, told)
        for name in killed:
            err.print(f"  {name} did not end by itself and was killed")
        err.print("down" if stopped else "nothing was running")
        if purge:
            shutil.rmtree(stack.settings.data)
            err.print(f"{stack.settings.data} is removed")
            if given := stack.settings.given:
                err.print(f"what is on the given servers ({', '.join(given)}) stays there")


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
        raise UsageError(
            f"There is no component {component!r}; the components are {known}."
            f"{nearest(component, stack.components)}"
        )
    refuse_containers(stack.settings, "logs", f"docker compose logs {component}")
    if address := stack.components[component].address(stack.settings):
        raise Refused(f"{component} is given, at {address}; its log is there.")
    file: Path = stack.places.logs / f"{component}.log"
    if not file.exists():
        raise Refused(f"{component} has no log yet; `./loyalty up` starts it.")
    # -F goes on across the log's rotation; with --pid it never outlives this command
    follows = ["-F", f"--pid={os.getpid()}"] if follow else []
    command = ["tail", "-n", str(lines), *follows, str(file)]
    with leaving("the component runs on."):
        subprocess.run(command, check=False)
