"""`rebuild`: transactions_cln made again from HDFS raw, compared, and repaired if asked to."""

from typing import Annotated, Any

import typer

from pipeline.console import err, out, print_json
from pipeline.dates import parse_span
from pipeline.endings import leaving
from pipeline.progress import display
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
    begin, end = parse_span(first, last)
    from batch.repaired import compare
    from batch.repaired import repair as mend

    settings = read_settings()
    arguments = ["--most", str(most)]
    arguments += ["--from", str(begin)] if begin else []
    arguments += ["--to", str(end)] if end else []
    if repair:
        state = "the stream goes on, and each partition is as it was or repaired; run it again."
        with leaving(state), display() as show:
            result = mend(settings, arguments, err.print, show)
        err.print("the stream goes on")
    else:
        with leaving("nothing was changed; run it again."), display() as show:
            result = compare(settings, arguments, show)
    if as_json:
        print_json(result)
    else:
        _show(result)
    if not result["ok"]:
        raise typer.Exit(1)


def _show(result: dict[str, Any]) -> None:
    """Print the differences one by one, then what they are in all, and what was done."""
    from rich.text import Text

    from batch.comparison import KINDS
    from pipeline.verify.cut import describe

    for difference in result["differences"]:
        out.print(Text(_sentence(difference, KINDS)))
    for file in result["damaged"]:
        out.print(Text(f"{file}: cannot be read"))
    if left := result["found"] - len(result["differences"]) - len(result["damaged"]):
        out.print(f"… and {left:,} more")
    out.print(f"{result['rebuilt']:,} rows rebuilt from HDFS raw, {result['live']:,} live")
    if result["behind"]:
        out.print(f"compared up to the slowest: {describe(result['behind'])}")
    if not result["found"]:
        as_far = ", as far as was compared" if result["behind"] else ""
        out.print(f"[green]row by row the same{as_far}[/green]")
        return
    kinds = [f"{result[kind]:,} {words}" for kind, words in KINDS.items() if result[kind]]
    kinds += [f"{len(result['damaged']):,} files that cannot be read"] if result["damaged"] else []
    out.print(f"[red]{', '.join(kinds)}[/red]")
    for folder in result["published"]:
        out.print(f"repaired: {folder}")
    if result["kept"]:
        out.print(
            f"{result['kept']:,} foreign rows stay: HDFS raw lacks their lines, and nothing says "
            "that they are wrong; `./loyalty verify` says where they went missing."
        )
    if result["unsure"] and (result["damaged"] or result["missing"]):
        out.print(
            f"{result['unsure']:,} lines once quarantined as FUTURE may have counted later and be "
            "lost with the rest; `./loyalty quarantine replay --reason FUTURE` sends them again "
            "after the repair, and each counts once."
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
