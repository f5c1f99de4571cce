"""Hive follows the stream: new partitions and generations, also after HiveServer2 was away."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from hive.session import Session, connect
from hive.tables import Partition, get_location, partition_names
from pipeline.places import CLEAN
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.partitions import PartitionFollower, show_now
from tests.integration.conftest import RunningStack, free_ports
from tests.unit.order_rows import NOON, line, rows

DAY = 86_400_000


@dataclass
class Trial:
    """Tables of one test, their writer, and a follower that can be sent to a dead port."""

    stack: RunningStack
    hdfs: Hdfs
    root: str
    database: str
    port: int
    followers: list[PartitionFollower] = field(default_factory=list)

    def session(self) -> Session:
        """Open a session at the port of now."""
        return connect("127.0.0.1", self.port, timeout=60)

    def start(self) -> BatchWriter:
        """Start a driver: a writer, and a follower that it tells of its folders."""
        tables = {
            f"{self.database}.{name}": f"{self.root}/{name}"
            for name in ("transactions_cln", "quarantine")
        }
        follower = PartitionFollower(self.session, self.hdfs, self.stack.settings.hdfs, tables)
        self.followers.append(follower)
        places = Tables(
            f"{self.root}/transactions_cln", f"{self.root}/quarantine", f"{self.root}/staging"
        )
        writer = BatchWriter(self.hdfs, places, follower.tell)
        writer.open()
        follower.start()
        return writer

    def wait_for(self, table: str, partition: str, seconds: float = 30) -> None:
        """Wait until Hive shows a partition."""
        end = time.monotonic() + seconds
        with self.session() as session:
            while partition not in partition_names(session, f"{self.database}.{table}"):
                assert time.monotonic() < end, f"{table} {partition} is not shown"
                time.sleep(0.1)

    def count(self) -> int:
        """Count the rows that Hive sees in transactions_cln."""
        with self.session() as session:
            ((found,),) = session.rows(f"select count(*) from {self.database}.transactions_cln")
            return int(found)


@pytest.fixture
def trial(stack: RunningStack) -> Iterator[Trial]:
    hdfs, name = Hdfs(stack.settings.webhdfs, user="spark"), f"test_{uuid.uuid4().hex[:8]}"
    root = f"{CLEAN}/{name}"
    made = Trial(stack, hdfs, root, name, stack.settings.hiveserver2_port)
    port = made.port
    # Hive makes no folder here, so it needs no more than to read
    for table in ("transactions_cln", "quarantine"):
        hdfs.make_folder(f"{root}/{table}")
    try:
        with made.session() as session:
            session.run(f"create database {name}")
            for table in ("transactions_cln", "quarantine"):
                session.run(
                    f"create external table {name}.{table} like default.{table} "
                    f"location '{stack.settings.hdfs}{root}/{table}'"
                )
        yield made
    finally:
        made.port = port
        for follower in made.followers:
            follower.stop()
        with made.session() as session:
            session.run(f"drop database if exists {name} cascade")
        hdfs.delete(root)


def test_new_partitions_are_shown_by_themselves(trial: Trial) -> None:
    writer = trial.start()
    writer.write(rows(line(1), "bad", line(2, at=NOON + DAY)), "t", 0)
    trial.wait_for("transactions_cln", "odr_dt=2019-04-01/odr_hr=0")
    trial.wait_for("transactions_cln", "odr_dt=2019-04-02/odr_hr=0")
    trial.wait_for("quarantine", "arrival_dt=2019-04-01")
    # more rows in a partition that is shown are there at once
    writer.write(rows(line(3), first=3), "t", 1)
    assert trial.count() == 3


def test_hiveserver2_away_is_caught_up(trial: Trial) -> None:
    port, (trial.port,) = trial.port, free_ports(1)
    writer = trial.start()
    for day in range(3):
        writer.write(rows(line(day, at=NOON + day * DAY), first=day), "t", day)
    trial.port = port
    for day in range(3):
        trial.wait_for("transactions_cln", f"odr_dt=2019-04-0{day + 1}/odr_hr=0")
    assert trial.count() == 3


def test_what_a_killed_driver_left_is_found_at_the_next_start(trial: Trial) -> None:
    port, (trial.port,) = trial.port, free_ports(1)
    trial.start().write(rows(line(1)), "t", 0)
    trial.followers.pop().stop()
    # meanwhile somebody published a generation of a partition that Hive shows already
    trial.port = port
    partition = "odr_dt=2019-04-01/odr_hr=0"
    folder = f"{trial.root}/transactions_cln/{partition}"
    trial.start()
    trial.wait_for("transactions_cln", partition)
    trial.followers.pop().stop()
    trial.hdfs.make_folder(f"{folder}/g=2")
    writer = trial.start()
    writer.write(rows(line(2), first=1), "t", 1)
    wanted, end = f"{trial.stack.settings.hdfs}{folder}/g=2", time.monotonic() + 30
    spec: Partition = {"odr_dt": "2019-04-01", "odr_hr": 0}
    with trial.session() as session:
        table = f"{trial.database}.transactions_cln"
        while get_location(session, table, spec) != wanted:
            assert time.monotonic() < end, "the switch was not made"
            time.sleep(0.1)
    assert trial.hdfs.names(f"{folder}/g=2")
    assert trial.count() == 1


def test_a_reader_need_not_wait_for_the_follower(trial: Trial) -> None:
    """A refresh shows what it reads: missing partitions, newer generations, up to its date."""
    root, table = f"{trial.root}/transactions_cln", f"{trial.database}.transactions_cln"
    places = Tables(root, f"{trial.root}/quarantine", f"{trial.root}/staging")
    writer = BatchWriter(trial.hdfs, places, lambda _folder: None)
    writer.open()
    for day in range(3):
        writer.write(rows(line(day, at=NOON + day * DAY), first=day), "t", day)
    uri = trial.stack.settings.hdfs
    with trial.session() as session:
        show_now(session, trial.hdfs, uri, table, root, last="odr_dt=2019-04-02")
        assert partition_names(session, table) == {
            f"odr_dt=2019-04-0{day}/odr_hr=0" for day in (1, 2)
        }
        assert trial.count() == 2
        trial.hdfs.make_folder(f"{root}/odr_dt=2019-04-01/odr_hr=0/g=2")
        show_now(session, trial.hdfs, uri, table, root, last="odr_dt=2019-04-02")
        assert trial.count() == 1
        show_now(session, trial.hdfs, uri, table, root)
        assert trial.count() == 2


def test_a_year_of_days_is_looked_through_in_seconds(trial: Trial) -> None:
    root, table = f"{trial.root}/transactions_cln", f"{trial.database}.transactions_cln"
    days = [date(2019, 1, 1) + timedelta(days=n) for n in range(365)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(trial.hdfs.make_folder, (f"{root}/odr_dt={d}/odr_hr=0/g=1" for d in days)))
    with trial.session() as session:
        show_now(session, trial.hdfs, trial.stack.settings.hdfs, table, root)
        assert len(partition_names(session, table)) == 365
        begun = time.monotonic()
        show_now(session, trial.hdfs, trial.stack.settings.hdfs, table, root)
        seconds = time.monotonic() - begun
    print(f"365 days: {seconds:.2f} s")
    assert seconds < 10
