"""`customers`: a chain's customer file into the table customers_cln."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pipeline.console import err, out, print_json
from pipeline.endings import leaving
from pipeline.places import Places
from pipeline.progress import working
from pipeline.settings import read_settings

app = typer.Typer(
    help="The members: load a chain's customer file.\n\n"
    "Example: ./loyalty customers load customers.csv",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def customers() -> None:
    """The members: load a chain's customer file."""


@app.command("load")
def load(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="Nine columns, CSV."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="The result as a JSON object.")] = False,
) -> None:
    """Replace the members by those of a customer file; a running demo producer is paused.

    Columns: customer_id, home_store, name, email, since, card number, birthdate, gender (M, F, N),
    birth year; a header line is accepted. Broken rows are left out and listed by line and reason;
    a file with more than 5 % of them is refused whole.

    Example: ./loyalty customers load customers.csv
    """
    from batch.load import load_customers

    settings = read_settings()
    with (
        leaving("the members are as they were, or all new; load the file again."),
        working(f"loading {file.name} with Spark"),
    ):
        loaded = load_customers(settings, Places(settings.data), file, demo=False)
    if loaded.producer_paused:
        err.print(
            "The demo producer is paused, so that no invented order goes to these members; "
            "`./loyalty rate resume` lets it go on."
        )
    if as_json:
        print_json(asdict(loaded))
        return
    out.print(f"{loaded.rows:,} customers loaded, generation {loaded.generation} of customers_cln")
    if loaded.rejected:
        out.print(f"{loaded.rejected:,} rows rejected, listed in {loaded.rejected_file}")
