"""`retention`: how long each store keeps what it has."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.filesize import decimal

from pipeline.console import out, print_json
from pipeline.endings import leaving
from pipeline.progress import working
from pipeline.settings import read_settings
from pipeline.table import show_table


@leaving()
def retention(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Show how long each store keeps what it has, by which setting, how much it holds now and
    since when. A changed setting holds from the next `down` and `up` on.

    Example: ./loyalty retention
    """
    from cluster.retention import describe_retention

    with working("asking", "stores") as progress:
        stores = describe_retention(read_settings(), progress)
    if as_json:
        print_json([asdict(store) for store in stores])
        return
    show_table(
        ("store", "kept", "used", "oldest", "setting"),
        [
            (one.store, one.kept, "?" if one.used is None else decimal(one.used),
             one.oldest or "", (one.setting or "").removeprefix("LOYALTY_"))
            for one in stores
        ],
        out,
    )  # fmt: skip
    out.print("A setting is a variable LOYALTY_…, or a line of .env.")
