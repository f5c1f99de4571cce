"""`config`: every setting that is in force, and where it comes from."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from pipeline.console import err, out, print_json
from pipeline.endings import leaving
from pipeline.errors import UsageError
from pipeline.table import show_table
from pipeline.variables import PREFIX, suggest

if TYPE_CHECKING:
    from pipeline.explanation import Explained


@leaving()
def config(
    name: Annotated[
        str | None, typer.Argument(help="One setting: LOYALTY_KAFKA_PORT, or kafka_port.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON array, one object a setting.")
    ] = False,
) -> None:
    """Show each setting's value, where it comes from, and its default.

    What differs from the default has a star.

    Example: ./loyalty config LOYALTY_KAFKA
    """
    from pipeline.explanation import explain
    from pipeline.settings import read_settings

    found = {one.name: one for one in explain(read_settings())}
    if name is not None:
        wanted = PREFIX + name.upper().removeprefix(PREFIX)
        if wanted not in found:
            raise UsageError(
                f"{name} is no setting{suggest(wanted, found.keys(), '`./loyalty config`')}"
            )
        found = {wanted: found[wanted]}
    if as_json:
        print_json([asdict(one) for one in found.values()])
        return
    if name is not None:
        _show_one(*found.values())
        return
    columns, whole = ("setting", "value", "origin", "default"), ("setting", "origin")
    show_table(columns, map(_cells, found.values()), out, whole)
    changed = sum(one.is_changed for one in found.values())
    err.print(f"{changed} of {len(found)} differ from the default; `config NAME` says more of one")


def _cells(one: "Explained") -> list[Text]:
    name = f"{one.name} *" if one.is_changed else one.name
    style = "bold yellow" if one.is_changed else ""
    return [Text(text, style=style) for text in (name, one.value, one.origin, one.default)]


def _show_one(one: "Explained") -> None:
    out.print(Text(f"{one.name}={one.value}", style="bold yellow" if one.is_changed else "bold"))
    for word, text in (("origin", one.origin), ("default", one.default), ("unit", one.unit)):
        if text:
            out.print(Text(f"{word:<9}{text}"))
    out.print(Text(one.sentence))
