"""`quarantine`: lines that are no orders, by reason; and once more after a fix of the rules."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from pipeline.console import err, out, print_json
from pipeline.dates import parse_date
from pipeline.endings import leaving
from pipeline.errors import LoyaltyError, UsageError
from pipeline.nearest import nearest
from pipeline.order import REASONS
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.progress import Progress, unseen, working
from pipeline.settings import Settings, read_settings
from pipeline.temporary import temporary_folder

if TYPE_CHECKING:
    from producer.again import Plan
    from streaming.verdicts import Reason

COLUMNS = 80
"""A sample is cut here."""

app = typer.Typer(context_settings={"help_option_names": ["-h", "--help"]})

Since = Annotated[
    str | None, typer.Option("--since", metavar="DATE", help="Only what arrived from then on.")
]


@app.callback(invoke_without_command=True)
def quarantine(
    context: typer.Context,
    since: Since = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array, one a reason.")] = False,
) -> None:
    """List the lines that are no orders by reason: how many, the newest one's time, samples.

    Bytes that are no printable UTF-8 are shown as \\xNN.

    Example: ./loyalty quarantine --since 2026-11-01
    """
    if context.invoked_subcommand is not None:
        return
    from streaming.verdicts import by_reason

    settings = read_settings()
    with (
        leaving(),
        _verdicts(settings, since, ["raw", "reason", "seen_at"]) as read,
        working("quarantine", "files") as progress,
    ):
        found = by_reason(read(progress))
    zone = ZoneInfo(read_programme(settings.programme).time_zone)
    if as_json:
        print_json([_document(reason, zone) for reason in found])
    elif found:
        _show(found, zone)
    else:
        err.print("quarantine is empty")


@app.command("replay")
def replay(
    reason: Annotated[str, typer.Option("--reason", help=f"One of {', '.join(REASONS)}.")],
    since: Since = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Write the lines of a reason into the order log again, each different one once.

    Use it after a fix of the rules. What is clean by then counts once, however often it is sent;
    what is still bad comes back into quarantine, under its new offset. The old rows stay.

    Example: ./loyalty quarantine replay --reason ITEM
    """
    if reason not in REASONS:
        raise UsageError(
            f"{reason!r} is no reason; the reasons are {', '.join(REASONS)}."
            f"{nearest(reason, REASONS)}"
        )
    from cluster.stamp import check_folder
    from producer.again import plan, write_again
    from producer.growing import NoRoom
    from producer.log import OrderLog

    settings = read_settings()
    programme = read_programme(settings.programme)
    check_folder(settings, programme.time_zone)
    zone = ZoneInfo(programme.time_zone)
    with (
        leaving("nothing was written into the order log; replay again."),
        _verdicts(settings, since, ["raw", "reason"]) as read,
    ):

        def raws(progress: Progress = unseen) -> Iterator[bytes]:
            for rows in read(progress):
                pairs = zip(rows["raw"].to_pylist(), rows["reason"].to_pylist(), strict=True)
                yield from (raw for raw, why in pairs if why == reason)

        with working("quarantine", "files") as looked:
            planned = plan(raws(looked), int(time.time() * 1000))
        _announce(planned, reason)
        if planned.lines and not yes:
            typer.confirm(
                f"Write {planned.lines:,} lines into the order log?", abort=True, err=True
            )
        lines = 0

        def state() -> str:
            return (
                f"at least {lines:,} of {planned.lines:,} lines were written; replay"
                " again: none counts twice."
            )

        if planned.lines:
            with (
                leaving(state),
                OrderLog(
                    Places(settings.data).order_log, zone,
                    settings.log_roll_mib, settings.log_roll_minutes,
                ) as log,
                working(reason, "lines") as progress,
            ):  # fmt: skip

                def write(line: bytes) -> None:
                    nonlocal lines
                    log.write(line)
                    lines += 1
                    progress(lines, planned.lines)

                try:
                    write_again(raws(), write)
                except NoRoom as error:
                    raise LoyaltyError(
                        f"{error} Replay again then: no line counts twice."
                    ) from error
    if as_json:
        print_json({"reason": reason, "rows": planned.rows, "lines": lines,
                    "still_bad": planned.still_bad, "left_out": planned.left_out})  # fmt: skip
    else:
        out.print(f"{lines:,} lines written into the order log")


@contextmanager
def _verdicts(settings: Settings, since: str | None, columns: list[str]) -> Iterator[Any]:
    """Give a function that reads the files that are there now, again and again the same, and tells
    a progress how many it has read.
    """
    from pipeline.webhdfs import Hdfs
    from streaming.verdicts import read_verdicts, verdict_files

    first = None if since is None else parse_date("--since", since)
    hdfs = Hdfs(settings.webhdfs, user="spark")
    with temporary_folder("quarantine") as folder:
        files = verdict_files(hdfs, first)

        def read(progress: Progress) -> Iterator[Any]:
            for done, rows in enumerate(read_verdicts(hdfs, files, columns, folder), 1):
                yield rows
                progress(done, len(files))

        yield read


def _announce(planned: "Plan", reason: str) -> None:
    err.print(
        f"rows of quarantine with reason {reason}: {planned.rows:,}; different lines, to be "
        f"written: {planned.lines:,}; what is clean by now counts once"
    )
    if planned.still_bad:
        err.print(
            f"still breaking a rule: {planned.still_bad:,}; they come back into quarantine, under "
            "new offsets"
        )
    if reason == "CONFLICT" and planned.lines > planned.still_bad:
        err.print("a line that contradicts the one that came first comes back as well")
    if planned.left_out:
        err.print(f"left out, because they were cut at 65,536 bytes: {planned.left_out:,}")


def _document(reason: "Reason", zone: ZoneInfo) -> dict[str, Any]:
    return {
        "reason": reason.name,
        "count": reason.count,
        "newest": reason.newest and _local(reason.newest, zone).isoformat(timespec="milliseconds"),
        "samples": [shortened(raw) for _, raw in reason.samples],
    }


def _show(found: "list[Reason]", zone: ZoneInfo) -> None:
    from rich.text import Text

    for reason in found:
        newest = "" if reason.newest is None else f"{_local(reason.newest, zone):%Y-%m-%d %H:%M:%S}"
        out.print(f"[bold]{reason.name:<9}[/] {reason.count:>9,}  newest {newest}")
        for _, raw in reason.samples:
            out.print(Text("  " + shortened(raw), style="dim"))
    out.print(f"{'in all':<9} {sum(reason.count for reason in found):>9,}")


def shortened(raw: bytes) -> str:
    """Give a line's text in at most 80 columns; nothing in it can steer a terminal."""
    from rich.cells import cell_len

    from pipeline.verify.report import shown

    text = shown(raw)
    if cell_len(text) <= COLUMNS and len(text) <= COLUMNS:
        return text
    kept, width = "", 0
    for character in text:
        # a combining mark has no width of its own, and is counted all the same
        width += max(1, cell_len(character))
        if width >= COLUMNS:
            break
        kept += character
    return f"{kept}…"


def _local(instant: Any, zone: ZoneInfo) -> Any:
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(zone)
