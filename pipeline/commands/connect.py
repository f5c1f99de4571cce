"""`connect`: what other tools need to reach the stack."""

from dataclasses import asdict
from typing import Annotated, Final

import typer

from pipeline.clients import Client, clients
from pipeline.console import print_json
from pipeline.endings import leaving
from pipeline.errors import UsageError
from pipeline.nearest import nearest
from pipeline.settings import read_settings

NATIVE: Final = ("beeline", "spark")
"""They need jars of ours, or ports of HDFS that no container publishes."""


@leaving()
def connect(
    tool: Annotated[
        str | None,
        typer.Argument(help="One of them alone, such as jdbc, pyhive or kafka."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON object, of a tool or by tool.")
    ] = False,
) -> None:
    """Print the address of each server and lines to paste, for every tool that reads from it.

    What is printed for one tool is complete: a script can read it from a pipe.

    Example: ./loyalty connect pyhive
    """
    # other tools are on the host, where the containers' ports are published under their numbers
    settings = read_settings()
    known = clients(settings.model_copy(update={"containers": False}))
    if settings.containers:
        known = {name: client for name, client in known.items() if name not in NATIVE}
    if tool is not None and tool not in known:
        raise UsageError(
            f"No tool is called {tool!r}; there is {', '.join(known)}.{nearest(tool, known)}"
        )
    chosen = known if tool is None else {tool: known[tool]}
    if as_json:
        documents = {name: asdict(client) for name, client in chosen.items()}
        print_json(documents if tool is None else documents[tool])
        return
    print("\n\n".join(map(_section, chosen.values())))


def _section(client: Client) -> str:
    """Give a client as text: its head is a comment in the language of its lines."""
    return (
        f"# --- {client.tool}: {client.title}\n"
        f"# address: {client.address}\n"
        f"# needs: {client.needs}\n"
        f"{client.snippet}"
    )
