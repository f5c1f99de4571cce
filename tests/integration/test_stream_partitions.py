"""Hive follows the stream: new partitions and generations, also after HiveServer2 was away."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from drill.stack import OwnStack, free_ports
from hive.generations import GenerationTable
from hive.session import Session, connect
from hive.tables import Partition, get_location, partition_names, set_location
from pipeline.generations import GRACE_SECONDS, MARKER
from pipeline.places import CLEAN
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.partitions import PartitionFollower
from tests.unit.order_rows import NOON, line, rows
from tests.waiting import wait_until

DAY = 86_400_000
HOME = "odr_dt=2019-04-01/odr_hr=0"


@dataclass
class Trial:
    """Tables of one test, their writer, and a follower that can be sent to a dead port."""

    stack: OwnStack
    hdfs: Hdfs
    root: str
    database: str
    port: int
    followers: list[PartitionFollower] = field(default_factory=list)

    def session(self) -> Session:
        """Open a session at the port of now."""
        return connect("127.0.0.1", self.port, timeout=60)

    def start(self, grace: float = GRACE_SECONDS) -> BatchWriter:
        """Start a driver: a writer, and a follower that it tells of its folders."""
        tables = {
            f"{self.database}.{name}": f"{self.root}/{name}"
            for name in ("transactions_cln", "quarantine")
        }
        uri = self.stack.settings.hdfs
        follower = PartitionFollower(self.session, self.hdfs, uri, tables, grace)
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

    def location(self) -> str:
        """Ask Hive for the generation that it shows of HOME, as a path on HDFS."""
        spec: Partition = {"odr_dt": "2019-04-01", "odr_hr": 0}
        with connect("127.0.0.1", self.stack.settings.hiveserver2_port, timeout=60) as session:
            found = get_location(session, f"{self.database}.transactions_cln", spec)
        return found.removeprefix(self.stack.settings.hdfs)

    def filled(self, grace: float = GRACE_SECONDS, each: int = 2) -> BatchWriter:
        """Write three batches into HOME, and wait until Hive shows it."""
        writer = self.start(grace)
        for n in range(3):
            lines = [line(n * each + k, at=NOON + k) for k in range(each)]
            writer.write(rows(*lines, first=n * each), "t", n)
        self.wait_for("transactions_cln", HOME)
        return writer

    def merge(self, writer: BatchWriter) -> str:
        """Merge HOME; gives the folder of its generations."""
        assert writer.merge(f"{self.root}/transactions_cln", HOME, lambda: None)
        return f"{self.root}/transactions_cln/{HOME}"

    def count(self) -> int:
        """Count the rows that Hive sees in transactions_cln."""
        with self.session() as session:
            ((found,),) = session.rows(f"select count(*) from {self.database}.transactions_cln")
            return int(found)


@pytest.fixture
def trial(quiet_stack: OwnStack) -> Iterator[Trial]:
    hdfs, name = Hdfs(quiet_stack.settings.webhdfs, user="spark"), f"test_{uuid.uuid4().hex[:8]}"
    root = f"{CLEAN}/{name}"
    made = Trial(quiet_stack, hdfs, root, name, quiet_stack.settings.hiveserver2_port)
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
                    f"location '{quiet_stack.settings.hdfs}{root}/{table}'"
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


def test_a_query_in_flight_sees_each_row_once(trial: Trial) -> None:
    """It goes on reading the old generation, page by page; a new query reads the new one."""
    writer = trial.filled(each=1500)
    question = f"select kafka_offset from {trial.database}.transactions_cln"
    with ExitStack() as held:
        session = held.enter_context(trial.session())
        # else HiveServer2 reads all before it gives the first row
        session.run("set hive.fetch.task.caching=false")
        result = held.enter_context(session.result(question))
        assert result is not None
        seen = [next(result.rows)[0]]
        folder = trial.merge(writer)
        wait_until("the switch is made", lambda: trial.location() == f"{folder}/g=2")
        wait_until("it is marked", lambda: MARKER in trial.hdfs.names(f"{folder}/g=1"))
        writer.write(rows(line(9999), first=4500), "t", 3)
        seen += [offset for (offset,) in result.rows]
    assert sorted(seen) == list(range(4500))
    assert trial.count() == 4501


def test_hive_does_not_read_the_marker(trial: Trial) -> None:
    trial.filled()
    home = f"{trial.root}/transactions_cln/{HOME}/g=1"
    trial.hdfs.write(f"{home}/{MARKER}", b"")
    assert trial.location() == home
    assert trial.count() == 6


def test_a_merge_without_hiveserver2_is_shown_later(trial: Trial) -> None:
    writer = trial.filled()
    port, (trial.port,) = trial.port, free_ports(1)
    folder = trial.merge(writer)
    time.sleep(2)
    assert trial.location() == f"{folder}/g=1"
    # what Hive still shows is neither marked nor deleted, also by a driver started anew
    trial.followers.pop().stop()
    trial.start(grace=2)
    time.sleep(1)
    assert MARKER not in trial.hdfs.names(f"{folder}/g=1")
    trial.port = port
    assert trial.count() == 6
    wait_until("the switch is made", lambda: trial.location() == f"{folder}/g=2")
    wait_until("the old one is gone", lambda: trial.hdfs.names(folder) == ["g=2"])
    assert trial.count() == 6


def test_a_switch_without_its_mark_gets_it_at_the_next_start(trial: Trial) -> None:
    writer = trial.filled()
    trial.followers.pop().stop()
    folder = trial.merge(writer)
    spec: Partition = {"odr_dt": "2019-04-01", "odr_hr": 0}
    with trial.session() as session:
        table = f"{trial.database}.transactions_cln"
        set_location(session, table, f"{trial.stack.settings.hdfs}{folder}/g=2", spec)
    assert MARKER not in trial.hdfs.names(f"{folder}/g=1")
    trial.start()
    wait_until("it is marked", lambda: MARKER in trial.hdfs.names(f"{folder}/g=1"))


def test_a_switch_that_came_too_late_is_taken_back(trial: Trial) -> None:
    """By a refresh that looked before the merge, and was ended after its statement."""
    folder = trial.merge(trial.filled())
    wait_until("it is marked", lambda: MARKER in trial.hdfs.names(f"{folder}/g=1"))
    spec: Partition = {"odr_dt": "2019-04-01", "odr_hr": 0}
    uri, table = trial.stack.settings.hdfs, f"{trial.database}.transactions_cln"
    shown = GenerationTable(trial.hdfs, uri, table, f"{trial.root}/transactions_cln")
    with trial.session() as session:
        set_location(session, table, f"{uri}{folder}/g=1", spec)
        shown.settle(session)
    assert trial.location() == f"{folder}/g=2"
    assert trial.count() == 6


def test_old_generations_go_without_news(trial: Trial) -> None:
    """A stream that runs for weeks cleans up, although nothing comes any more."""
    folder = trial.merge(trial.filled(grace=3))
    wait_until("it is marked", lambda: MARKER in trial.hdfs.names(f"{folder}/g=1"))
    assert wait_until("it is gone", lambda: trial.hdfs.names(folder) == ["g=2"]) > 1
    assert trial.count() == 6


def test_a_reader_need_not_wait_for_the_follower(trial: Trial) -> None:
    """A refresh shows what it reads: missing partitions, newer generations, up to its date."""
    root, table = f"{trial.root}/transactions_cln", f"{trial.database}.transactions_cln"
    places = Tables(root, f"{trial.root}/quarantine", f"{trial.root}/staging")
    writer = BatchWriter(trial.hdfs, places, lambda _folder: None)
    writer.open()
    for day in range(3):
        writer.write(rows(line(day, at=NOON + day * DAY), first=day), "t", day)
    shown = GenerationTable(trial.hdfs, trial.stack.settings.hdfs, table, root)
    with trial.session() as session:
        shown.settle(session)
        assert partition_names(session, table) == {
            f"odr_dt=2019-04-0{day}/odr_hr=0" for day in (1, 2, 3)
        }
        assert trial.count() == 3
        trial.hdfs.make_folder(f"{root}/odr_dt=2019-04-01/odr_hr=0/g=2")
        shown.settle(session)
        assert trial.count() == 2


def test_a_year_of_days_is_looked_through_in_seconds(trial: Trial) -> None:
    root, table = f"{trial.root}/transactions_cln", f"{trial.database}.transactions_cln"
    days = [date(2019, 1, 1) + timedelta(days=n) for n in range(365)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(trial.hdfs.make_folder, (f"{root}/odr_dt={d}/odr_hr=0/g=1" for d in days)))
    shown = GenerationTable(trial.hdfs, trial.stack.settings.hdfs, table, root)
    with trial.session() as session:
        shown.settle(session)
        assert len(partition_names(session, table)) == 365
        begun = time.monotonic()
        shown.settle(session)
        seconds = time.monotonic() - begun
    print(f"365 days: {seconds:.2f} s")
    assert seconds < 10
