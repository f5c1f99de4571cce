"""`replay`: a point-of-sale export, as order lines into the order log."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from pipeline.console import out, print_json
from pipeline.endings import leaving
from pipeline.errors import LoyaltyError, UsageError
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.progress import Progress, working
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from producer.replay import Replayed


def replay(
    receipts: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="The export, a CSV file."),
    ],
    products: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="Names of the products."),
    ] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Of the export's times; default the programme's.")
    ] = None,
    rejected: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Where rejected rows go, a new file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as a JSON object.")] = False,
) -> None:
    """Write a point-of-sale export into the order log; what is dirty goes into a file of its own.

    Replaying the same export again changes no total: each row makes the same line.

    Example: ./loyalty replay receipts.csv --products products.csv
    """
    from cluster.stamp import check_folder
    from producer.clock import LocalTime
    from producer.growing import NoRoom
    from producer.log import OrderLog
    from producer.receipts import Export, read_products
    from producer.replay import RejectedRows, Replayed, rejected_file
    from producer.replay import replay as write_all

    settings = read_settings()
    programme = read_programme(settings.programme)
    check_folder(settings, programme.time_zone)
    places = Places(settings.data)
    zone = ZoneInfo(programme.time_zone)
    names = read_products(products) if products else None
    done = Replayed()
    target = rejected or rejected_file(places.data / "rejected", receipts, datetime.now(tz=zone))
    rejects = RejectedRows(target)
    rejects.check()
    with receipts.open("rb") as stream:
        local = LocalTime(_zone(time_zone) if time_zone else zone)
        export = Export(stream, receipts.name, local, names)
        with (
            leaving(lambda: _state(done)),
            OrderLog(
                places.order_log, zone, settings.log_roll_mib, settings.log_roll_minutes
            ) as log,
            rejects,
            working(receipts.name, "rows") as progress,
        ):
            told = _by_bytes(stream, receipts.stat().st_size, progress)
            try:
                write_all(export, log.write, rejects, done, progress=told)
            except NoRoom as error:
                raise LoyaltyError(
                    f"{error} {done.lines:,} whole lines were written; replay the file again then,"
                    " they do not count twice."
                ) from error
    _report(done, target, as_json)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise UsageError(
            f"{name!r} is no time zone; give an IANA name like America/New_York."
        ) from error


def _by_bytes(stream: IO[bytes], size: int, progress: Progress) -> Callable[[], None]:
    """Give what is called after each row: how many rows there are is told by the bytes read."""
    rows, is_file = 0, stream.seekable()  # a pipe has no end that is known

    def advance() -> None:
        nonlocal rows
        rows += 1
        if rows % 1000 == 0:
            progress(rows, rows * size // max(1, stream.tell()) if is_file else None)

    return advance


def _state(done: "Replayed") -> str:
    return (
        f"at least {done.lines:,} whole lines were written, and {done.rejected:,} rows"
        " rejected; replay the file again: what was written does not count twice."
    )


def _report(done: "Replayed", target: Path, as_json: bool) -> None:
    if as_json:
        print_json(done.report() | {"rejected_file": str(target) if done.rejected else None})
        return
    out.print(f"{done.lines:,} lines, {done.amount:,} in all")
    if done.rejected:
        out.print(f"{done.rejected:,} rows rejected, one by one in {target}", soft_wrap=True)
