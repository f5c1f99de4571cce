"""rebuild on the real servers: what is taken away, altered or added is named, and repaired."""

import json
import uuid
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer

from cluster.supervision import Supervisor
from drill.stack import OwnStack
from pipeline.generations import highest
from pipeline.places import TRANSACTIONS
from pipeline.webhdfs import Hdfs
from streaming.files import TRANSACTIONS as COLUMNS
from streaming.files import encode
from tests.integration.observation import components, pids
from tests.waiting import wait_until

DAY = "2019-07-01"
NOON = 1_561_996_800_000
HOME = f"{TRANSACTIONS}/odr_dt={DAY}/odr_hr=0"
NEXT_DAY = "2019-07-02"
NEXT_HOME = f"{TRANSACTIONS}/odr_dt={NEXT_DAY}/odr_hr=0"
RANGE = ("--from", DAY, "--to", DAY)


def rebuilt(stack: OwnStack, *options: str) -> dict[str, Any]:
    """Run rebuild over DAY and give its object; the exit code says the same."""
    done = stack.run("rebuild", *RANGE, *options, "--json")
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["ok"] else 1), done.stderr
    return document


@pytest.fixture(scope="module")
def prefix(stack: OwnStack) -> str:
    """Write orders of DAY, minutes apart, with a duplicate, a conflict and a bad line; one more of
    NEXT_DAY.
    """
    prefix = f"RB-{uuid.uuid4().hex[:8]}"
    lines = [
        f"7|{NOON + minute * 120_000}|{prefix}-{minute}|{number}|SALE|3|caffè ☕|1|70.00|"
        for minute in range(4)
        for number in (1, 2)
    ]
    lines += [lines[0], lines[1].replace("70.00", "71.00"), f"7|{NOON}|{prefix}|1|SALE|3|\x1b|1"]
    lines += [f"7|{NOON + 86_400_000}|{prefix}-NEXT|{n}|SALE|3|mocha|1|80.00|" for n in (1, 2)]
    stack.ok("produce", "--from", "-", stdin="".join(f"{line}\n" for line in lines))
    stack.ok("verify", "--wait")
    return prefix


@pytest.fixture
def hdfs(stack: OwnStack) -> Hdfs:
    return Hdfs(stack.settings.webhdfs, user="spark")


def newest(hdfs: Hdfs, home: str = HOME) -> str:
    return f"{home}/g={highest(hdfs, home)}"


def file_of(hdfs: Hdfs, order_id: str) -> str:
    """Find the newest generation's file that holds an order."""
    for name in hdfs.names(newest(hdfs)):
        path = f"{newest(hdfs)}/{name}"
        if order_id in read(hdfs, path)["order_id"].to_pylist():
            return path
    raise AssertionError(order_id)


def read(hdfs: Hdfs, path: str) -> pa.Table:
    return pq.read_table(BytesIO(hdfs.read(path)), partitioning=None).cast(COLUMNS)


def stored(hdfs: Hdfs, home: str = HOME) -> pa.Table:
    """Give all rows of a date, sorted, where they came from included."""
    folder = newest(hdfs, home)
    tables = [read(hdfs, f"{folder}/{name}") for name in hdfs.names(folder)]
    return pa.concat_tables(tables).sort_by([("order_id", "ascending"), ("line_no", "ascending")])


def _taken_away(hdfs: Hdfs, path: str) -> None:
    hdfs.delete(path)


def _damaged(hdfs: Hdfs, path: str) -> None:
    hdfs.write(path, hdfs.read(path)[:200])


def _altered(hdfs: Hdfs, path: str) -> None:
    """Make a row's price another one."""
    rows = read(hdfs, path)
    prices = [Decimal("0.01"), *rows["odr_prc"].to_pylist()[1:]]
    at = COLUMNS.get_field_index("odr_prc")
    hdfs.write(path, encode(rows.set_column(at, "odr_prc", pa.array(prices, COLUMNS.types[at])),
                            COLUMNS))  # fmt: skip


def _invented(hdfs: Hdfs, path: str) -> None:
    """Add a row that nobody sold, and one that is there already."""
    rows = read(hdfs, path)
    at = COLUMNS.get_field_index("order_id")
    ghost = rows.slice(0, 1).set_column(at, "order_id", pa.array(["GHOST"]))
    hdfs.write(path, encode(pa.concat_tables([rows, ghost, rows.slice(0, 1)]), COLUMNS))


def others(rows: pa.Table, order_id: str) -> pa.Table:
    """Give the rows of all other orders."""
    return rows.filter(pc.not_equal(rows["order_id"], order_id))


def test_what_differs_is_named_and_repaired(stack: OwnStack, prefix: str, hdfs: Hdfs) -> None:
    before, old = stored(hdfs), newest(hdfs)
    lost, *files = [file_of(hdfs, f"{prefix}-{minute}") for minute in range(4)]
    # one of two that come again is counted as clean twice, and the table has it once
    first = f"{prefix}-0"
    again = [f"7|{NOON}|{first}|{number}|SALE|3|caffè ☕|1|70.00|\n" for number in (1, 2)]
    stack.supervisor.stop("streaming")  # it remembers what it has just written
    try:
        _taken_away(hdfs, lost)
    finally:
        stack.supervisor.start("streaming")
    stack.ok("produce", "--from", "-", stdin=again[0])
    wait_until("it is a row again", lambda: first in stored(hdfs)["order_id"].to_pylist())
    for spoil, path in zip((_damaged, _altered, _invented), files, strict=True):
        spoil(hdfs, path)

    found = rebuilt(stack)
    assert {kind: found[kind] for kind in ("missing", "foreign", "other")} == {
        "missing": 3, "foreign": 2, "other": 1,
    }  # fmt: skip
    assert found["damaged"] == [files[0]]
    named = {(d["kind"], d["identity"]) for d in found["differences"]}
    assert {("missing", f"7|{NOON}|{first}|2|SALE"),
            ("missing", f"7|{NOON + 120_000}|{prefix}-1|2|SALE"),
            ("other", f"7|{NOON + 240_000}|{prefix}-2|1|SALE"),
            ("foreign", f"7|{NOON + 360_000}|GHOST|1|SALE")} <= named  # fmt: skip
    assert newest(hdfs) == old, "a comparison changes nothing"

    pid, restarts = pids(stack)["streaming"], components(stack)["streaming"]["restarts"]
    repaired = rebuilt(stack, "--repair")
    assert pids(stack)["streaming"] not in {0, pid}, "it stood meanwhile, and goes on"
    assert components(stack)["streaming"]["restarts"] == restarts, "it did not die"
    assert repaired["published"] == [newest(hdfs)] != [old]
    assert repaired["ok"] is repaired["hive_shows"] is True
    assert others(stored(hdfs), first).equals(others(before, first)), "with offsets and arrivals"
    after = stored(hdfs)
    assert len(after) == len(before)
    stack.ok("verify", "--wait")  # what came again makes no false alarm

    # files of a rebuilt generation bear their range of instants: duplicates are found in them
    line = f"7|{NOON + 120_000}|{prefix}-1|1|SALE|3|caffè ☕|1|70.00|\n"
    stack.ok("produce", "--from", "-", stdin=line + again[1])
    stack.ok("verify", "--wait")
    assert stored(hdfs).equals(after)
    question = (
        f"select count(*) n from transactions_cln where odr_dt = '{DAY}'"
        f" and order_id like '{prefix}-%'"
    )
    assert stack.sql(question)[0]["n"] == 8


def put_into_topic(stack: OwnStack, lines: list[str]) -> None:
    """Write lines past the log files and Flume, as if Flume had just delivered them."""
    producer = Producer({"bootstrap.servers": stack.settings.kafka})
    for line in lines:
        producer.produce(stack.settings.topic, line.encode())
    assert producer.flush(10) == 0


def test_a_repair_waits_for_raw_brings_a_whole_partition_and_leaves_the_stream_as_it_was(
    stack: OwnStack, prefix: str, hdfs: Hdfs, tmp_path: Path
) -> None:
    """Without the wait what raw has not got yet would be foreign in the table, and go. What raw
    has and the stream has not read yet is beyond the cut, and not missing.
    """
    ahead, late = f"{prefix}-AHEAD", f"{prefix}-LATE"
    lines = [f"7|{NOON + n}|{ahead}|{n}|SALE|3|mocha|1|80.00|" for n in range(1, 4)]
    supervisor, log = Supervisor(stack.places), tmp_path / "rebuild.log"

    def in_table() -> bool:
        ids: list[str] = stored(hdfs)["order_id"].to_pylist()
        return ids.count(ahead) == len(lines)

    supervisor.stop("flume")
    try:
        # the log files have them too, for verify: Flume delivers them again when it is back
        stack.ok("produce", "--from", "-", stdin="".join(f"{line}\n" for line in lines))
        put_into_topic(stack, lines)
        wait_until("the table has them", in_table, seconds=120)
        supervisor.stop("streaming")
        before, lost = stored(hdfs), stored(hdfs, NEXT_HOME)
        hdfs.delete(NEXT_HOME)
        later = f"9|{NOON}|{late}|1|SALE|3|latte|1|70.00|\n"
        stack.ok("produce", "--from", "-", stdin=later)
        dates = ("--from", DAY, "--to", NEXT_DAY)
        repair = stack.start("rebuild", *dates, "--repair", "--json", log=log)
        try:
            says = f"waiting until HDFS raw has {len(lines)} lines that the table has"
            wait_until("it says that it waits", lambda: says in log.read_text(), seconds=120)
            assert repair.poll() is None
            supervisor.start("flume")
            assert repair.wait(timeout=180) == 0, log.read_text()
        finally:
            repair.kill()
            repair.wait()
        assert stored(hdfs).equals(before), "nothing of it was foreign"
        # the topic holds every line still, so the offsets are found again
        assert stored(hdfs, NEXT_HOME).equals(lost), "every row, with its offset and arrival"
        document = log.read_text()[log.read_text().index("{") :]
        found = json.loads(document)
        assert (found["missing"], found["foreign"], found["other"]) == (len(lost), 0, 0)
        assert supervisor.processes()["streaming"].pid == 0
    finally:
        supervisor.start("flume")
        supervisor.start("streaming")
    stack.ok("verify", "--wait")
    assert late in stored(hdfs)["order_id"].to_pylist()


def test_a_replayed_line_that_is_still_bad_comes_back(stack: OwnStack, prefix: str) -> None:
    def fields() -> int:
        listed = {r["reason"]: r["count"] for r in json.loads(stack.ok("quarantine", "--json"))}
        return int(listed["FIELDS"])

    stack.ok("verify", "--wait")
    before = fields()
    done = stack.run("quarantine", "replay", "--reason", "FIELDS", "--json", stdin="y\n")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["rows"] == before
    assert 0 < result["lines"] == result["still_bad"] <= before
    stack.ok("verify", "--wait")
    assert fields() == before + result["lines"]
    assert "\x1b" not in stack.ok("quarantine")


def test_without_a_yes_nothing_is_sent(stack: OwnStack, prefix: str) -> None:
    def size() -> int:
        return sum(path.stat().st_size for path in stack.places.order_log.iterdir())

    before = size()
    assert stack.run("quarantine", "replay", "--reason", "FIELDS", stdin="n\n").returncode == 1
    assert stack.run("quarantine", "replay", "--reason", "fields", "--yes").returncode == 2
    assert size() == before


def test_wrong_dates_are_refused(stack: OwnStack) -> None:
    assert stack.run("rebuild", "--from", "1 May").returncode == 2
    assert stack.run("rebuild", "--from", "2026-02-02", "--to", "2026-02-01").returncode == 2
    assert stack.run("quarantine", "--since", "yesterday").returncode == 2
