"""`./loyalty verify`: compare every store, line by line."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from pipeline.dates import parse_span
from pipeline.endings import leaving
from pipeline.errors import UsageError


def verify(
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait until every hop has what there is now.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="The most seconds that --wait waits.")] = 120,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="First business date.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Last business date, included.")
    ] = None,
    answer_key: Annotated[
        Path | None,
        typer.Option(
            "--answer-key",
            dir_okay=False,
            metavar="FILE",
            help="Find what `produce` has planted.",
        ),
    ] = None,
    dates: Annotated[bool, typer.Option("--dates", help="Show the totals of each date.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare log files, topic, HDFS raw, HBase and the clean tables, line by line.

    Exit code 0 when they agree; else 1, with the first differing lines and the hop at which they
    went missing. Orders may flow meanwhile. With --answer-key also every fault that `produce` has
    planted has to be found.

    Example: ./loyalty verify --wait --from 2026-11-01 --to 2026-11-07
    """
    from pipeline.console import err, out, print_json
    from pipeline.places import STAGING, Places
    from pipeline.programme import read_programme
    from pipeline.progress import display
    from pipeline.settings import read_settings
    from pipeline.topic import Topic
    from pipeline.verify.comparison import Comparison, Stores
    from pipeline.verify.cut import Sources
    from pipeline.verify.report import show
    from pipeline.verify.scope import Scope
    from pipeline.webhdfs import Hdfs

    begin, end = parse_span(first, last)
    if not math.isfinite(timeout) or timeout < 1:
        raise UsageError("--timeout is a number of seconds, 1 or more, and not inf or nan.")
    if answer_key and (begin or end):
        raise UsageError("--answer-key is compared as a whole; leave --from and --to out.")
    settings = read_settings()
    places = Places(settings.data)
    sources = Sources(
        places.order_log, places.positions, Topic(settings.kafka, settings.topic),
        Hdfs(settings.webhdfs, user="spark"), STAGING,
    )  # fmt: skip
    asked = Scope(begin, end, with_none=begin is None and end is None)
    with leaving("nothing was changed; run it again."), display() as begins:
        comparison = Comparison(
            Stores(sources, settings.thrift, settings.partition_hours),
            read_programme(settings.programme).time_zone,
            timedelta(days=settings.log_retention_days),
            lambda text: err.print(text, style="dim"),
            begins,
        )
        outcome = comparison.run(asked, timeout if wait else None, answer_key)
    if as_json:
        print_json(outcome.to_json())
    else:
        show(outcome, out, dates=dates)
    if not outcome.ok:
        raise typer.Exit(1)
