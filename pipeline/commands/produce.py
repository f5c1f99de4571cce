"""`produce`: a foreground run of invented orders, or of given lines."""

import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from pipeline.console import err, out, print_json
from pipeline.endings import leaving
from pipeline.errors import LoyaltyError, UsageError
from pipeline.places import Places
from pipeline.programme import Programme, read_programme
from pipeline.progress import working
from pipeline.settings import Settings, read_settings
from pipeline.traffic_options import Redemptions, Refunds, Shape

if TYPE_CHECKING:
    from producer.faults import Planter, Shares
    from producer.produce import Record, Tally, Write
    from producer.rate import Rate
    from producer.shape import After
    from producer.traffic import Traffic


def produce(  # noqa: PLR0917 (options have no order)
    count: Annotated[int | None, typer.Option(min=1, help="How many orders (receipts).")] = None,
    rate: Annotated[str, typer.Option(help="30s, 0.2/s, 500/s, 12/min or max.")] = "max",
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same orders.")] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Instant of the first order, ISO or epoch milliseconds; default now."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Pass the lines of a file on, byte for byte; - is standard input.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--out", file_okay=False, help="Write here, not for Flume to read."),
    ] = None,
    duration: Annotated[
        float | None, typer.Option(min=0.001, metavar="SECONDS", help="Instead of --count.")
    ] = None,
    faults: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=SHARE,…",
            help="Plant faults in these shares of the orders: duplicate, duplicate-hour,"
            " duplicate-day, late-minutes, late-days, late-weeks, malformed, conflict.",
        ),
    ] = None,
    answer_key: Annotated[
        Path | None,
        typer.Option(
            "--answer-key",
            dir_okay=False,
            metavar="FILE",
            help="Record each line written, for `verify --answer-key`; a key goes on.",
        ),
    ] = None,
    shape: Shape = None,
    refunds: Refunds = None,
    redemptions: Redemptions = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the lines, write nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as a JSON object.")] = False,
) -> None:
    """Write invented orders, or given lines, into the order log, and report.

    Without --start orders happen now, at the rate. With it they happen from then on, an interval
    apart, and are written at once: the same seed, start, rate and members give the same bytes.
    --faults plants faults in them, the same ones for the same seed; docs/answer-key.md tells which.
    In a rush-hour shape --rate is the day's mean.

    Example: ./loyalty produce --count 1000 --rate 50/s
    """
    invented = count is not None or duration is not None
    if source is not None and (
        invented or rate != "max" or seed is not None or start or faults or answer_key
        or any(option is not None for option in (shape, refunds, redemptions))
    ):  # fmt: skip
        raise UsageError(
            "--from passes given lines on; leave --count, --duration, --rate, --seed, --start,"
            " --faults, --answer-key, --shape, --refunds, --redemptions out."
        )
    if source is None and not invented:
        raise UsageError("Nothing to produce: give --count N, --duration SECONDS or --from FILE.")
    if duration is not None and not math.isfinite(duration):
        raise UsageError("--duration is a number of seconds, not inf or nan.")
    if duration is not None and (count is not None or start is not None):
        raise UsageError("--duration writes what happens now; leave --count and --start out.")
    if dry_run and (as_json or folder or answer_key):
        raise UsageError(
            "--dry-run prints lines and writes nothing; leave --json, --out, --answer-key out."
        )
    from producer.faults import parse_faults
    from producer.produce import Tally, parse_start, write_orders
    from producer.rate import parse_rate
    from producer.shape import after
    from producer.traffic import choose_traffic

    asked = parse_rate(rate)
    traffic = choose_traffic(shape, refunds, redemptions)
    shares = parse_faults(faults) if faults is not None else {}
    settings = read_settings()
    programme = read_programme(settings.programme)
    tally = Tally()
    if source is not None:
        stream = _opened(source)
        with _told(tally), _writer(settings, programme, folder, dry_run) as write:
            _pass_on(stream, write, tally)
    else:
        zone = ZoneInfo(programme.time_zone)
        start_ms = None if start is None else parse_start(start, zone)
        clock = after(traffic.shape, zone)
        when = _when(count, duration, asked, start_ms, clock, keyed=answer_key is not None)
        planter = _planter(
            settings, programme, seed, start_ms, asked, shares=shares, traffic=traffic
        )
        with (
            _told(tally),
            _recorder(answer_key) as record,
            _writer(settings, programme, folder, dry_run) as write,
            _progress("orders", count) as progress,
        ):
            write_orders(planter, when, write, tally, record=record, progress=progress)
    _report(tally, err if dry_run else out, as_json)


def _when(
    count: int | None, seconds: float | None, rate: "Rate", start_ms: int | None, clock: "After",
    *, keyed: bool,
) -> Iterator[int]:  # fmt: skip
    """Give the instants of the orders; with a key none of them may be in the future."""
    from producer.log import now_ms
    from producer.produce import instants, last_instant, now_at, now_for

    if seconds is not None:
        return now_for(rate.interval_ns, seconds, clock)
    orders = count or 0
    if start_ms is None:
        return now_at(rate.interval_ns, orders, clock)
    if keyed and last_instant(start_ms, rate.interval_ns, orders, clock) > now_ms():
        raise UsageError(
            "With --answer-key no order may be in the future, where it is none yet; give an"
            " earlier --start or fewer orders."
        )
    return instants(start_ms, rate.interval_ns, orders, clock)


def _planter(
    settings: Settings,
    programme: Programme,
    seed: int | None,
    start_ms: int | None,
    rate: "Rate",
    *,
    shares: "Shares",
    traffic: "Traffic",
) -> "Planter":
    """Make the till: with seed and start its order ids belong to exactly this run."""
    import secrets

    from producer.faults import Planter
    from producer.members import read_members
    from producer.orders import Till, seeded_run
    from producer.pool import demo_members

    chosen = secrets.randbits(64) if seed is None else seed
    members = read_members(Places(settings.data)) or demo_members(seed=chosen)
    once = secrets.token_hex(8) if start_ms is None else ""
    run = seeded_run(chosen, start_ms, rate.interval_ns, members, programme.menu, traffic, once)
    return Planter(Till(members, programme.menu, run, str(chosen), traffic), shares, str(chosen))


def _pass_on(stream: IO[bytes], write: "Write", tally: "Tally") -> None:
    from producer.produce import write_lines

    size = os.fstat(stream.fileno()).st_size if stream.seekable() else None
    with stream, _progress("bytes", size) as progress:
        write_lines(stream, write, tally, progress=progress)


def _opened(source: str) -> IO[bytes]:
    if source == "-":
        if sys.stdin is None:
            raise UsageError("Standard input is closed; give --from a file, or lines on it.")
        return sys.stdin.buffer
    try:
        return Path(source).open("rb")
    except IsADirectoryError as error:
        raise UsageError(
            f"{source} is a folder; give --from one of its files, or all of them on standard"
            f" input: `cat {source}/* | ./loyalty produce --from -`."
        ) from error
    except OSError as error:
        raise UsageError(
            f"--from cannot read {source} ({error.strerror}); give a file, or - for standard input."
        ) from error


@contextmanager
def _writer(
    settings: Settings, programme: Programme, folder: Path | None, dry_run: bool
) -> Iterator["Write"]:
    from cluster.stamp import check_folder
    from producer.log import OrderLog

    if dry_run:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    if folder is None:
        check_folder(settings, programme.time_zone)
    with OrderLog(
        folder or Places(settings.data).order_log, ZoneInfo(programme.time_zone),
        settings.log_roll_mib, settings.log_roll_minutes,
    ) as log:  # fmt: skip
        yield log.write


@contextmanager
def _recorder(path: Path | None) -> Iterator["Record"]:
    from producer.answer_key import AnswerKey

    if path is None:
        yield lambda _: None
        return
    with AnswerKey(path) as key:
        yield key.write


@contextmanager
def _told(tally: "Tally") -> Iterator[None]:
    """Say what was written when a run ends early."""
    from producer.growing import NoRoom

    try:
        with leaving(lambda: f"at least {tally.lines:,} whole lines were written, and stay."):
            yield
    except NoRoom as error:
        raise LoyaltyError(f"{error} {tally.lines:,} whole lines were written.") from error


@contextmanager
def _progress(unit: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show how far we are; what is yielded takes what was done since."""
    with working("written", unit) as progress:
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            done += more
            progress(done, total)

        yield advance


def _report(tally: "Tally", console: Console, as_json: bool) -> None:
    if as_json:
        print_json(tally.report())
        return
    orders = "" if tally.orders is None else f"{tally.orders:,} orders, "
    pace = f"{tally.lines_per_second:,.0f} lines/s"
    console.print(f"{orders}{tally.lines:,} lines, {pace}, {tally.size:,} bytes", soft_wrap=True)
