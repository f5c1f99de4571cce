"""`rebuild`: transactions_cln made again from HDFS raw, compared, and repaired if asked to."""

from datetime import date
from typing import Annotated, Any

import typer

from pipeline.console import err, out, print_json
from pipeline.errors import UsageError
from pipeline.settings import read_settings


def rebuild(
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First business date.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last business date, included.")
    ] = None,
    most: Annotated[
        int, typer.Option(min=0, max=10_000, help="How many differences are listed.")
    ] = 20,
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Make the table what HDFS raw says.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make transactions_cln again from HDFS raw and compare it with the live table, row by row.

    Exit code 0 when they agree; else 1, with the first differences. Orders may flow meanwhile:
    compared is what every hop has. --repair publishes the rebuilt partitions, where they differ,
    as new generations; the stream pauses for that. Exit code 0 then, if all could be repaired.

    Example: ./loyalty rebuild --from 2026-11-01 --to 2026-11-07
    """
    begin, end = _date("--from", first), _date("--to", last)
    if begin and end and begin > end:
        raise UsageError(f"--from {begin} is after --to {end}; exchange them.")
    from batch.repaired import compare
    from batch.repaired import repair as mend

    settings = read_settings()
    arguments = ["--most", str(most)]
    arguments += ["--from", str(begin)] if begin else []
    arguments += ["--to", str(end)] if end else []
    if repair:
        with err.status("the stream pauses, HDFS raw goes through Spark once more …"):
            result = mend(settings, arguments)
        err.print("the stream goes on")
    else:
        with err.status("HDFS raw goes through Spark once more …"):
            result = compare(settings, arguments)
    if as_json:
        print_json(result)
    else:
        _show(result)
    if not result["ok"] and (not repair or result["kept"]):
        raise typer.Exit(1)


def _date(option: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text} is no date; give it as 2026-11-07.") from error


def _show(result: dict[str, Any]) -> None:
    """Print the differences one by one, then what they are in all, and what was done."""
    from rich.text import Text

    from batch.comparison import KINDS

    for difference in result["differences"]:
        out.print(Text(_sentence(difference, KINDS)))
    for file in result["damaged"]:
        out.print(Text(f"{file}: cannot be read"))
    if left := result["found"] - len(result["differences"]) - len(result["damaged"]):
        out.print(f"… and {left:,} more")
    out.print(f"{result['rebuilt']:,} rows rebuilt from HDFS raw, {result['live']:,} live")
    if result["ok"]:
        out.print("[green]row by row the same[/green]")
        return
    kinds = [f"{result[kind]:,} {words}" for kind, words in KINDS.items() if result[kind]]
    kinds += [f"{len(result['damaged']):,} files that cannot be read"] if result["damaged"] else []
    out.print(f"[red]{', '.join(kinds)}[/red]")
    for folder in result["published"]:
        out.print(f"repaired: {folder}")
    if result["kept"]:
        out.print(
            f"{result['kept']:,} foreign rows stay: the topic has their lines, so it is HDFS raw "
            "that lacks them; `./loyalty verify` says where they went missing."
        )
    if not result.get("hive_shows", True):
        err.print("HiveServer2 does not answer; Hive shows the repair as soon as it does.")


def _sentence(difference: dict[str, Any], kinds: dict[str, str]) -> str:
    note = f" ({difference['note']})" if difference["note"] else ""
    live, rebuilt = difference["live"], difference["rebuilt"]
    text = f"{difference['partition']}: {kinds[difference['kind']]}: {difference['identity']}{note}"
    if live is not None and rebuilt is not None:
        return f"{text}\n  live    {live}\n  rebuilt {rebuilt}"
    return f"{text}\n  {live if rebuilt is None else rebuilt}"
