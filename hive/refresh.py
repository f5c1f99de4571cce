"""The refresh: spend_daily, then the snapshots that are asked for or that something touched.

Hive is first made to show what HDFS has by then: the stream's follower comes later, and a load may
have been killed before its switch. A snapshot is a function of transactions_cln, customers_cln and
the date: made again it has the same rows, and a refresh killed anywhere is mended by the next one.
It costs what is new: dates whose lines changed are summed again, and a snapshot is the latest
earlier one that nothing touched plus the days after it (decision 14).
"""

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from hive.days import bring_up, changed_dates, read_index
from hive.generations import GenerationTable
from hive.runs import Reason, Run, append_run
from hive.session import Session, open_session
from hive.snapshot import Snapshots, build, check
from hive.sources import look
from hive.tables import partition_names
from pipeline.errors import Refused
from pipeline.generations import highest, numbers
from pipeline.lock import only_one
from pipeline.places import CUSTOMERS, LOYALTY, MART, SPEND, TRANSACTIONS, Places
from pipeline.programme import calendar, read_programme
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs

STAGING: Final = f"{MART}/staging"
"""A folder for each refresh under way; what a killed one left is deleted by the next."""
FIRST_DATE: Final = date(2000, 1, 1)
"""Lines of before are quarantined (reason TIME)."""
RESTATED_DAYS: Final = 7
"""Snapshots of these days before today are restated by every refresh, older ones nightly."""


Told = Callable[[date, int, int], object]
"""Hears of a snapshot before it is made: its date, which one of how many dates that is."""


def unheard(_day: date, _number: int, _count: int) -> None:
    """Tell nobody of a snapshot."""


class NoCustomers(Refused):
    """There is nobody to list: nothing was done, and no run is recorded."""


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a refresh has published: its date, its rows, their spend in programme currency."""

    data_dt: date
    rows: int
    spent: Decimal
    location: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables that a refresh reads and writes, and a folder on HDFS for what it stages."""

    transactions: GenerationTable
    customers: GenerationTable
    spend: GenerationTable
    loyalty: GenerationTable
    staging: str


@dataclass(slots=True)
class Work:
    """What a run is to do. forced: made in any case; wanted: made unless untouched; since: existing
    ones from this date on are restated.

    made and newest tell how far it came.
    """

    today: date
    forced: date | None = None
    wanted: date | None = None
    since: date = date.min
    told: Told = unheard
    made: list[Snapshot] = field(default_factory=list)
    newest: date | None = None


def refresh(
    settings: Settings,
    places: Places,
    data_dt: date | None = None,
    reason: Reason = "by hand",
    told: Told = unheard,
) -> list[Snapshot]:
    """Make the snapshot of a date anew, restate what late lines or new members touched; record it.

    Without a date: today's, unless nothing has touched it. Gives the snapshots made, by date.
    Raises Refused for a date in the future or before all orders, NoCustomers, Busy while another
    refresh runs; Unavailable when Hive or HDFS do not answer.
    """
    today = calendar(read_programme(settings.programme)).today()
    if data_dt is not None and data_dt > today:
        raise Refused(
            f"{data_dt} is in the future: today is {today} in programme time; give a date up to it."
        )
    if data_dt is not None and data_dt < FIRST_DATE:
        raise Refused(
            f"{data_dt} is before all orders: none is older than {FIRST_DATE}; give a later date."
        )
    wanted = today if data_dt is None else None
    work = Work(today, data_dt, wanted, restated_since(reason, today), told)
    with only_one(places.run / "refresh.lock", "A refresh"):
        run = Run(datetime.now(tz=UTC).isoformat(timespec="seconds"), reason)
        begun, is_run = time.monotonic(), True
        try:
            _run(settings, work)
        except NoCustomers:
            is_run = False
            raise
        except Exception as error:
            run.ok, run.error = False, str(error) or type(error).__name__
            raise
        except BaseException:
            run.ok, run.stopped = False, True
            run.error = "It was stopped before its end; the next one makes up for it."
            raise
        finally:
            if is_run:
                run.dates = [str(one.data_dt) for one in work.made]
                run.rows = sum(one.rows for one in work.made)
                run.newest = None if work.newest is None else str(work.newest)
                run.seconds = round(time.monotonic() - begun, 2)
                try:
                    append_run(places, run)
                except OSError as error:  # it has done what it did all the same
                    log.warning("the run is on no list of `refreshes`: %s", error)
    return work.made


def restated_since(reason: Reason, today: date) -> date:
    """Give the first date whose snapshot a run restates where something has touched it."""
    return date.min if reason == "nightly" else today - timedelta(days=RESTATED_DAYS)


def _run(settings: Settings, work: Work) -> None:
    hive, spark = (Hdfs(settings.webhdfs, user=user) for user in ("hive", "spark"))
    if not highest(spark, CUSTOMERS):
        raise NoCustomers(
            "There are no customers to list yet; load them with `./loyalty customers load FILE`."
        )
    uri, grace = settings.hdfs, settings.grace_seconds
    tables = Tables(
        GenerationTable(spark, uri, "transactions_cln", TRANSACTIONS, grace),
        GenerationTable(spark, uri, "customers_cln", CUSTOMERS, grace),
        GenerationTable(hive, uri, "spend_daily", SPEND, grace),
        GenerationTable(hive, uri, "loyalty", LOYALTY, grace),
        STAGING,
    )
    with open_session(settings) as session:
        do(session, tables, work)


def do(session: Session, tables: Tables, work: Work) -> None:
    """Do the work: look what is new, sum it, make the snapshots, the last days first."""
    tables.loyalty.hdfs.delete(tables.staging)
    tables.loyalty.settle(session)
    tables.spend.retire_due(session)  # its index knows which dates Hive shows
    names = partition_names(session, tables.loyalty.name)
    dates = {date.fromisoformat(name.partition("=")[2]) for name in names}
    touchable = {day for day in dates if work.since <= day <= work.today}
    touchable |= {day for day in (work.forced, work.wanted) if day is not None}
    customers = mark_of(tables.customers)
    tables.customers.show(session)
    last = max(touchable)
    shown = partition_names(session, tables.transactions.name)
    sources = look(tables.transactions.hdfs, tables.transactions.folder, shown, last)
    days = read_index(tables.spend.hdfs, tables.spend.folder)
    changed = changed_dates(days, sources.prints, last)
    # what the others have Hive has shown since they were summed; their old folders are the stream's
    tables.transactions.follow(session, shown, sources.of(changed, shown))
    days = bring_up(
        session, tables.spend, tables.staging, sources.prints, days=days, changed=changed
    )
    known = {day: made for day, made in days.items() if day <= last}
    snapshots = Snapshots(tables.loyalty, dates, known, customers)
    recent = restated_since("scheduled", work.today)
    # the last days first: nobody waits for them until years are restated
    for number, day in enumerate(sorted(touchable, key=lambda d: (d < recent, d)), 1):
        if day == work.forced or not snapshots.is_right(day):
            work.told(day, number, len(touchable))
            work.made.append(_make(session, tables, snapshots, day))
    work.newest = last


def _make(session: Session, tables: Tables, snapshots: Snapshots, day: date) -> Snapshot:
    begun = time.monotonic()
    while True:
        staged = f"{tables.staging}/loyalty-{day}-{uuid.uuid4().hex}"
        build(session, f"{tables.loyalty.uri}{staged}", day, snapshots.base(day))
        rows, spent = check(tables.loyalty.hdfs, staged, day)
        if (newest := mark_of(tables.customers)) == snapshots.customers:
            break
        # a load came in between: nobody knows whose rows Hive has shown
        tables.customers.show(session)
        snapshots.customers = newest
    folder = snapshots.enter(staged, day, session)
    return Snapshot(day, rows, spent, folder, time.monotonic() - begun)


def mark_of(table: GenerationTable) -> str:
    """Give the newest generation of customers_cln with the time at which it was made: a number
    alone comes again where a table was lost and loaded anew.
    """
    found = dict(table.hdfs.statuses(table.folder))
    newest = max(numbers(list(found)), default=0)
    return f"{newest}:{found[f'g={newest}']['modificationTime']}" if newest else ""
