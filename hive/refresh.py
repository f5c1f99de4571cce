"""The snapshot of a business date: the loyalty join, published as a generation of its partition.

Hive is first made to show what HDFS has by then: the stream's follower comes later, and a load may
have been killed before its switch. A snapshot is a function of transactions_cln, customers_cln and
the date: made again it has the same rows, and a refresh killed anywhere is mended by the next one.
"""

import json
import os
import time
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from hive.generations import SnapshotTable
from hive.session import Session, connect
from hive.sql import read_statement
from pipeline.errors import Refused
from pipeline.lock import only_one
from pipeline.places import CUSTOMERS, LOYALTY, MART, TRANSACTIONS, Places
from pipeline.programme import calendar, read_programme
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs

STAGING: Final = f"{MART}/staging"
"""A folder for each refresh under way; what a killed one left is deleted by the next."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a refresh has published: its date, its rows, their spend in programme currency."""

    data_dt: date
    rows: int
    spent: Decimal
    location: str
    seconds: float


def refresh(settings: Settings, places: Places, data_dt: date) -> Snapshot:
    """Make the snapshot of a date anew, and record the run.

    Raises Refused for a date in the future, without customers, and while another refresh runs;
    Unavailable when Hive or HDFS do not answer.
    """
    today = calendar(read_programme(settings.programme)).today()
    if data_dt > today:
        raise Refused(f"{data_dt} is in the future: today is {today} in programme time.")
    begun = datetime.now(tz=UTC)
    with only_one(places.run / "refresh.lock", "A refresh"):
        try:
            snapshot = _make(settings, data_dt)
        except Exception as error:
            _record(places, begun, data_dt, ok=False, error=str(error))
            raise
        _record(places, begun, data_dt, ok=True, rows=snapshot.rows)
    return snapshot


def _make(settings: Settings, data_dt: date) -> Snapshot:
    begun = time.monotonic()
    from batch.generations import CustomerTable
    from streaming.partitions import show_now

    hdfs = Hdfs(settings.webhdfs, user="hive")
    if not hdfs.names(CUSTOMERS):
        raise Refused(
            "There are no customers to list yet; load them with `./loyalty customers load FILE`."
        )
    with connect("127.0.0.1", settings.hiveserver2_port) as session:
        table = SnapshotTable(session, hdfs, settings.hdfs, "loyalty", "data_dt", LOYALTY)
        table.settle()
        CustomerTable(Hdfs(settings.webhdfs, user="spark"), settings.hdfs).show(session)
        show_now(
            session,
            hdfs,
            settings.hdfs,
            "transactions_cln",
            TRANSACTIONS,
            last=f"odr_dt={data_dt}",
        )
        hdfs.delete(STAGING)
        staged = f"{STAGING}/loyalty-{data_dt}-{uuid.uuid4().hex}"
        rows, spent = build(session, f"{settings.hdfs}{staged}", data_dt)
        location = table.publish(staged, data_dt)
    return Snapshot(data_dt, rows, spent, location, time.monotonic() - begun)


def build(session: Session, location: str, data_dt: date) -> tuple[int, Decimal]:
    """Write the rows of a snapshot into an own new folder (hdfs://…), as ORC; check them.

    Gives their number and their spend in programme currency. Refused where a customer is listed
    twice: nothing is published then.
    """
    session.run("DROP TABLE IF EXISTS loyalty_staged")
    session.run(read_statement("loyalty/staged.sql", location=location))
    session.run(read_statement("loyalty/refresh.sql", data_dt=data_dt.isoformat()))
    ((rows, ids, spent),) = session.rows(read_statement("loyalty/check.sql"))
    if rows != ids:
        raise Refused(
            f"The snapshot of {data_dt} would have {rows} rows for {ids} customers, because "
            "customers_cln lists some twice; load the customers again, then refresh."
        )
    return rows, spent


def read_last(places: Places) -> dict[str, Any] | None:
    """Give the record of the last refresh, None before the first.

    at: when it began (ISO, UTC); ok; data_dt; rows, null after a failure; seconds; error, null
    after a success.
    """
    try:
        text = _record_file(places).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    record: dict[str, Any] = json.loads(text)
    return record


@dataclass(frozen=True, slots=True)
class _Run:
    at: str
    ok: bool
    data_dt: str
    rows: int | None
    seconds: float
    error: str | None


def _record_file(places: Places) -> Path:
    return places.run / "refresh.json"


def _record(
    places: Places,
    begun: datetime,
    data_dt: date,
    *,
    ok: bool,
    rows: int | None = None,
    error: str | None = None,
) -> None:
    seconds = round((datetime.now(tz=UTC) - begun).total_seconds(), 2)
    run = _Run(begun.isoformat(timespec="seconds"), ok, str(data_dt), rows, seconds, error)
    file = _record_file(places)
    unfinished = file.with_suffix(f".{os.getpid()}")
    unfinished.write_text(json.dumps(asdict(run)), encoding="utf-8")
    unfinished.replace(file)
