"""`rebuild`: transactions_cln made again from HDFS raw, compared, and repaired if asked to."""

from typing import Annotated, Any, Final

import typer

from pipeline.console import err, out, print_json
from pipeline.dates import parse_span
from pipeline.endings import leaving
from pipeline.progress import display
from pipeline.settings import read_settings

_UNJUDGED: Final = "lines of the topic that are neither rows nor copies of one nor in quarantine"


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
    as new generations; the stream pauses for that, and reads the topic again where lines of it
    have no verdict. Exit code 0 then, if all could be repaired.

    Example: ./loyalty rebuild --from 2026-11-01 --to 2026-11-07
    """
    begin, end = parse_span(first, last)
    from batch.repair import compare
    from batch.repair import repair as mend

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
    for file in (*result["damaged"], *result["damaged_verdicts"]):
        out.print(Text(f"{file}: cannot be read"))
    damaged = len(result["damaged"]) + len(result["damaged_verdicts"])
    if left := result["found"] - len(result["differences"]) - damaged - result["unjudged"]:
        out.print(f"… and {left:,} more")
    out.print(f"{result['rebuilt']:,} rows rebuilt from HDFS raw, {result['live']:,} live")
    if result["behind"]:
        out.print(f"compared up to the slowest: {describe(result['behind'])}")
    if result["found"]:
        kinds = [f"{result[kind]:,} {words}" for kind, words in KINDS.items() if result[kind]]
        kinds += [f"{damaged:,} files that cannot be read"] if damaged else []
        kinds += [f"{result['unjudged']:,} {_UNJUDGED}"] if result["unjudged"] else []
        out.print(f"[red]{', '.join(kinds)}[/red]")
    elif not result["unsure"]:
        as_far = ", as far as was compared" if result["behind"] else ""
        out.print(f"[green]row by row the same{as_far}[/green]")
    _show_repair(result)
    if result["unsure"]:
        out.print(
            f"[yellow]{result['unsure']:,} lines that were FUTURE once are no rows, and the topic "
            "holds too little by now to tell whether they counted later[/yellow]; "
            "`./loyalty quarantine replay --reason FUTURE` sends them again: each counts once then."
        )


def _show_repair(result: dict[str, Any]) -> None:
    """Say what a repair has done, what it has left, and what the stream does now."""
    for folder in result["published"]:
        out.print(f"repaired: {folder}")
    for path in result["set_aside"]:
        out.print(f"set aside: {path}")
    if result["kept"]:
        out.print(
            f"{result['kept']:,} foreign rows stay: HDFS raw lacks their lines, and nothing says "
            "that they are wrong; `./loyalty verify` says where they went missing."
        )
    if result["untraced"]:
        out.print(
            f"[yellow]{result['untraced']:,} missing rows are in HDFS raw alone, and verdicts are"
            " lost: those that were FUTURE when they came count now[/yellow]; their kafka_offset in"
            " transactions_cln is null."
        )
    if result.get("still_to_read"):
        out.print(
            f"[yellow]the stream has {result['read_again']:,} lines of the topic to read again, and"
            " judges those that lack a verdict[/yellow]; `./loyalty up` starts it if it stands, and"
            " `./loyalty verify --wait` says when that is done."
        )
    elif result["read_again"]:
        out.print(f"the stream has read {result['read_again']:,} lines of the topic again")
    if not result.get("hive_shows", True):
        err.print("HiveServer2 does not answer; Hive shows the repair as soon as it does.")


def _sentence(difference: dict[str, Any], kinds: dict[str, str]) -> str:
    note = f" ({difference['note']})" if difference["note"] else ""
    live, rebuilt = difference["live"], difference["rebuilt"]
    text = f"{difference['partition']}: {kinds[difference['kind']]}: {difference['identity']}{note}"
    if live is not None and rebuilt is not None:
        return f"{text}\n  live    {live}\n  rebuilt {rebuilt}"
    return f"{text}\n  {live if rebuilt is None else rebuilt}"
