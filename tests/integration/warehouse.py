"""A database of a test's own with the product's tables, and what its snapshots have to show."""

import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drill.stack import OwnStack
from hive.days import bring_up, changed_dates, read_index
from hive.generations import GenerationTable
from hive.refresh import Tables, Work, do, restated_since
from hive.session import Session, open_session
from hive.snapshot import Base, build
from hive.sources import look
from hive.sql import read_statement
from hive.tables import TABLES, Partition, partition_names, set_location
from pipeline.generations import GRACE_SECONDS, enter, highest
from pipeline.webhdfs import Hdfs
from streaming.files import TRANSACTIONS, encode

AT = datetime(2019, 4, 5, 16, 0, 0, 123000, tzinfo=UTC)
Spend = dict[int, Decimal]


@dataclass(frozen=True)
class Warehouse:
    """A database with the product's tables, in folders of its own."""

    session: Session
    uri: str
    clean: str
    mart: str
    spark: Hdfs
    hive: Hdfs
    added: list[tuple[date, int | None, Decimal]] = field(default_factory=list)
    """What was sold: business date, customer, amount."""

    @property
    def tables(self) -> Tables:
        """Its tables, as a refresh takes them."""
        return Tables(
            GenerationTable(self.spark, self.uri, "transactions_cln",
                            f"{self.clean}/transactions_cln"),
            GenerationTable(self.spark, self.uri, "customers_cln", f"{self.clean}/customers_cln"),
            GenerationTable(self.hive, self.uri, "spend_daily", f"{self.mart}/spend_daily"),
            self.snapshots(), f"{self.mart}/staging",
        )  # fmt: skip

    def snapshots(self, grace: float = GRACE_SECONDS) -> GenerationTable:
        return GenerationTable(self.hive, self.uri, "loyalty", f"{self.mart}/loyalty", grace)

    def settle(self, grace: float = GRACE_SECONDS) -> None:
        self.snapshots(grace).settle(self.session)

    def load_customers(self, ids: list[int], generation: int) -> None:
        stream = io.BytesIO()
        columns: dict[str, Any] = {
            "cust_id": pa.array(ids, pa.int64()),
            "cust_nm": [f"Zoë {i}" for i in ids],
            "cust_member_card_no": [f"{i:09}" for i in ids],
        }
        pq.write_table(pa.table(columns), stream)
        folder = f"{self.clean}/customers_cln/g={generation}"
        self.spark.write(f"{folder}/part.parquet", stream.getvalue())
        set_location(self.session, "customers_cln", f"{self.uri}{folder}")

    def add_transactions(self, day: date, amounts: list[tuple[int | None, str]]) -> None:
        """Add a file of SALE lines to a business date's newest generation."""
        self.added.extend((day, i, Decimal(text)) for i, text in amounts)
        row = {"event": "SALE", "ordered_at": AT, "ingested_at": AT, "line_no": 1}
        rows = [row | {"cust_id": i, "odr_prc": Decimal(text)} for i, text in amounts]
        table = pa.Table.from_pylist(rows, schema=TRANSACTIONS)
        home = f"{self.clean}/transactions_cln/odr_dt={day}/odr_hr=0"
        folder = f"{home}/g={highest(self.spark, home) or 1}"
        name = f"{uuid.uuid4().hex}.parquet"
        self.spark.write(f"{folder}/{name}", encode(table, TRANSACTIONS))
        partition: Partition = {"odr_dt": day, "odr_hr": 0}
        set_location(self.session, "transactions_cln", f"{self.uri}{folder}", partition)

    def merge(self, day: date) -> None:
        """Give a business date a new generation of the same rows; Hive does not know yet."""
        home = f"{self.clean}/transactions_cln/odr_dt={day}/odr_hr=0"
        old = f"{home}/g={highest(self.spark, home)}"
        files = [pq.read_table(pa.BufferReader(self.spark.read(path)))
                 for path, _ in self.spark.walk(old)]  # fmt: skip
        staged = f"{self.clean}/staging-{uuid.uuid4().hex}"
        merged = encode(pa.concat_tables(files), TRANSACTIONS)
        self.spark.write(f"{staged}/{uuid.uuid4().hex}.parquet", merged)
        enter(self.spark, staged, home)

    def stage(self, day: date) -> str:
        """Build a snapshot from all days, and leave it where it is."""
        tables, staged = self.tables, f"{self.mart}/staging/{uuid.uuid4().hex}"
        shown = partition_names(self.session, "transactions_cln")
        found = look(self.spark, tables.transactions.folder, shown, day)
        days = read_index(self.hive, tables.spend.folder)
        changed = changed_dates(days, found.prints, day)
        bring_up(self.session, tables.spend, tables.staging, found.prints,
                 days=days, changed=changed)  # fmt: skip
        build(self.session, f"{self.uri}{staged}", day, Base())
        return staged

    def refresh(self, day: date) -> str:
        work = Work(today=day, forced=day)
        do(self.session, self.tables, work)
        return work.made[-1].location

    def keep(self, today: date, *, nightly: bool = False) -> list[date]:
        """Refresh as the schedule does on a day; gives the snapshots made."""
        since = restated_since("nightly" if nightly else "scheduled", today)
        work = Work(today=today, wanted=today, since=since)
        do(self.session, self.tables, work)
        return [one.data_dt for one in work.made]

    def sold(self, ids: list[int], day: date) -> Spend:
        """Give what a snapshot of these customers has to show."""
        spend = dict.fromkeys(ids, Decimal("0.00"))
        for at, customer, amount in self.added:
            if customer in spend and at <= day:
                spend[customer] += amount
        return spend

    def spend(self, day: date) -> Spend:
        rows = self.session.rows(f"select cust_id, spnd_amt from loyalty where data_dt = '{day}'")
        found: Spend = dict(rows)
        assert len(found) == len(rows)
        return found

    def generations(self, day: date) -> list[str]:
        return sorted(self.hive.names(f"{self.mart}/loyalty/data_dt={day}"))


@contextmanager
def own_warehouse(stack: OwnStack) -> Iterator[Warehouse]:
    """Make the database, in folders of its own; they go at the end."""
    settings, name = stack.settings, f"test_{uuid.uuid4().hex[:8]}"
    spark, hive = (Hdfs(settings.webhdfs, user=user) for user in ("spark", "hive"))
    clean, mart = f"/data/clean/{name}", f"/data/mart/{name}"
    root = Hdfs(settings.webhdfs, user="root")
    root.make_folder(clean)
    root.own(clean, "spark", "lake", "750")
    for folder in ("transactions_cln", "quarantine", "no_customers"):
        spark.make_folder(f"{clean}/{folder}")  # as `up` does: Hive may not write there
    for folder in ("loyalty", "spend_daily"):
        hive.make_folder(f"{mart}/{folder}")
    with open_session(settings) as session:
        session.run(f"create database {name}")
        try:
            session.run(f"use {name}")
            for table in TABLES:
                text = read_statement(f"ddl/{table}.sql", hdfs=settings.hdfs)
                own = text.replace("/data/clean/", f"{clean}/").replace("/data/mart/", f"{mart}/")
                session.run(own)
            yield Warehouse(session, settings.hdfs, clean, mart, spark, hive)
        finally:
            session.run("use default")
            session.run(f"drop database {name} cascade")
            root.delete(clean)
            root.delete(mart)
