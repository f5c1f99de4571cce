"""verify on the real servers: it agrees, it names what was taken or added, it needs no pause.

Each test that doctors a store puts it back as it was.
"""

import json
import os
import signal
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import happybase
import pytest

from cluster.supervision import Supervisor
from drill.crippled import restart_flume
from drill.stack import OwnStack
from pipeline.places import RAW, TRANSACTIONS
from pipeline.programme import calendar, read_programme
from pipeline.settings import ROOT
from pipeline.webhdfs import Hdfs
from tests.waiting import wait_until


def verified(stack: OwnStack, *options: str) -> dict[str, Any]:
    """Run verify and give its object; the exit code must say the same."""
    done = stack.run("verify", "--json", *options)
    assert done.returncode in {0, 1} and done.stdout, done.stderr  # noqa: PT018
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["ok"] else 1)
    return document


@dataclass(frozen=True)
class Batch:
    """The lines that this module has written: two orders, and a line of each other fate."""

    prefix: str
    good: list[str]
    counts: dict[str, int]


@pytest.fixture(scope="module")
def batch(stack: OwnStack) -> Batch:
    """Write lines good and bad, and let every hop have them."""
    before = verified(stack, "--wait")["counts"]
    prefix = f"VER-{uuid.uuid4().hex[:10]}"
    now = int(time.time() * 1000)
    good = [
        f"{customer}|{now}|{prefix}-{number}|{number}|SALE|3|caffè latte ☕|2|140.00|"
        for number, customer in enumerate(["7", "7", "", "70"], start=1)
    ]
    ahead = f"7|{now + 3_600_000}|{prefix}-F|1|SALE|3|mocha|1|80.00|"
    conflict = good[0].replace("140.00", "99.00")
    lines = [*good, good[1], ahead, conflict, f"{prefix}|nine|fields", "", good[2] + "\r"]
    # byte for byte: text mode would make one line end of CR LF
    subprocess.run(
        [str(ROOT / "loyalty"), "produce", "--from", "-"], env=stack.environment, cwd=ROOT,
        input="".join(f"{line}\n" for line in lines).encode(), capture_output=True, timeout=120,
        check=True,
    )  # fmt: skip
    after = verified(stack, "--wait")
    assert after["ok"], after["differences"]
    return Batch(prefix, good, {name: after["counts"][name] - before[name] for name in before})


def test_every_hop_agrees_and_every_line_is_accounted_for(stack: OwnStack, batch: Batch) -> None:
    assert batch.counts == {"lines": 10, "clean": 4, "duplicates": 2, "quarantined": 4}
    document = verified(stack)
    assert document["ok"], document["differences"]
    hops = {hop["hop"]: hop for hop in document["hops"]}
    assert list(hops) == ["log files", "topic", "HDFS raw", "HBase", "transactions_cln",
                          "quarantine"]  # fmt: skip
    for figure in ("distinct", "amount", "hash"):
        assert len({hops[hop][figure] for hop in ("log files", "topic", "HDFS raw")}) == 1


def test_dates_are_selected(stack: OwnStack, batch: Batch) -> None:
    rules = calendar(read_programme(stack.settings.programme))
    today = rules.business_date(int(batch.good[0].split("|")[1])).isoformat()
    document = verified(stack, "--from", today, "--to", today)
    assert document["ok"], document["differences"]
    dates = {day["date"] for hop in document["hops"] for day in hop["dates"]}
    assert dates == {today}
    long_ago = verified(stack, "--from", "2001-01-01", "--to", "2001-01-02")
    assert long_ago["ok"]
    assert long_ago["counts"] == dict.fromkeys(
        ("lines", "clean", "duplicates", "quarantined"), 0
    )  # fmt: skip


def single(differences: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(differences) == 1, differences
    return differences[0]


@contextmanager
def doctored(hdfs: Hdfs, path: str, content: bytes | None) -> Iterator[bytes]:
    """Give a file of HDFS other bytes (None: remove it) for a while; gives the right ones."""
    right = hdfs.read(path)
    try:
        if content is None:
            hdfs.delete(path)
        else:
            hdfs.write(path, content)
        yield right
    finally:
        hdfs.write(path, right)


@pytest.fixture(scope="module")
def raw_line(stack: OwnStack, batch: Batch) -> tuple[Hdfs, str, bytes]:
    """Give a line that HDFS raw has once, in a file that Flume has closed: at its end."""
    restart_flume(stack)
    hdfs = Hdfs(stack.settings.webhdfs, user="flume")
    found: list[tuple[str, bytes]] = []

    def look() -> bool:
        files = {path: hdfs.read(path) for path, _ in hdfs.walk(RAW)}
        times = Counter(line for text in files.values() for line in text.split(b"\n"))
        found[:] = [
            (path, line)
            for path, text in files.items()
            if path.endswith(".log")
            for line in text.split(b"\n")
            if times[line] == 1 and line.startswith(b"7|")
        ]
        return bool(found)

    wait_until("a closed raw file", look, seconds=120)
    return hdfs, *found[0]


def test_a_raw_line_taken_away_is_named(stack: OwnStack, raw_line: tuple[Hdfs, str, bytes]) -> None:
    hdfs, path, line = raw_line
    with doctored(hdfs, path, hdfs.read(path).replace(line + b"\n", b"", 1)):
        difference = single(verified(stack)["differences"])
    assert (difference["hop"], difference["kind"]) == ("HDFS raw", "missing")
    assert difference["line"] == line.decode()


def test_a_foreign_raw_line_is_named(stack: OwnStack, raw_line: tuple[Hdfs, str, bytes]) -> None:
    hdfs, path, line = raw_line
    foreign = line.replace(b"|SALE|", b"|SALE|9", 1)
    with doctored(hdfs, path, hdfs.read(path) + foreign + b"\n"):
        difference = single(verified(stack)["differences"])
    assert (difference["hop"], difference["kind"]) == ("HDFS raw", "foreign")
    assert difference["line"] == foreign.decode()


def test_a_raw_line_written_twice_or_half_is_no_difference(
    stack: OwnStack, raw_line: tuple[Hdfs, str, bytes]
) -> None:
    hdfs, path, line = raw_line
    with doctored(hdfs, path, hdfs.read(path) + line + b"\n" + line[:9]):
        document = verified(stack)
    assert document["ok"], document["differences"]


@pytest.fixture
def orders_table(stack: OwnStack) -> Iterator[Any]:
    connection = happybase.Connection("127.0.0.1", stack.settings.thrift_port, timeout=10_000)
    yield connection.table("orders")
    connection.close()


def test_a_row_of_hbase_taken_away_is_named(
    stack: OwnStack, batch: Batch, orders_table: Any
) -> None:
    line = batch.good[1]
    key = "|".join(line.split("|")[:5]).encode()
    columns = orders_table.row(key)
    assert columns
    orders_table.delete(key)
    try:
        difference = single(verified(stack)["differences"])
    finally:
        orders_table.put(key, columns)
    assert (difference["hop"], difference["kind"]) == ("HBase", "missing")
    assert difference["line"] == line


def test_a_row_of_hbase_copied_under_another_key_is_named(
    stack: OwnStack, batch: Batch, orders_table: Any
) -> None:
    line = batch.good[1]
    key = "|".join(line.split("|")[:5]).encode()
    copy = b"70" + key[1:]
    orders_table.put(copy, orders_table.row(key))
    try:
        difference = single(verified(stack)["differences"])
    finally:
        orders_table.delete(copy)
    assert (difference["hop"], difference["kind"]) == ("HBase", "foreign")
    assert difference["line"] == "70" + line[1:]


def newest_file(stack: OwnStack) -> tuple[Hdfs, str]:
    """Give the newest Parquet file of transactions_cln: it holds this module's orders."""
    hdfs = Hdfs(stack.settings.webhdfs, user="spark")
    files = [(s["modificationTime"], path) for path, s in hdfs.walk(TRANSACTIONS)]
    return hdfs, max(files)[1]


def test_a_parquet_file_taken_away_is_named(stack: OwnStack, batch: Batch) -> None:
    hdfs, path = newest_file(stack)
    with doctored(hdfs, path, None):
        document = verified(stack)
    missing = {d["line"] for d in document["differences"] if d["kind"] == "missing"}
    assert {d["hop"] for d in document["differences"]} == {"transactions_cln"}
    assert missing
    assert missing <= set(batch.good)


def test_a_parquet_file_copied_is_named(stack: OwnStack, batch: Batch) -> None:
    hdfs, path = newest_file(stack)
    copy = path.replace(".parquet", "-copy.parquet")
    hdfs.write(copy, hdfs.read(path))
    try:
        document = verified(stack)
    finally:
        hdfs.delete(copy)
    double = [d for d in document["differences"] if d["kind"] == "double"]
    assert {d["hop"] for d in document["differences"]} == {"transactions_cln"}
    assert {d["line"] for d in double} <= set(batch.good)
    assert copy in double[0]["says"]


def test_no_false_alarm_while_orders_flow(stack: OwnStack, batch: Batch) -> None:
    """A till of this test writes 50 lines a second, some of them twice, some of them bad."""
    ended = Event()

    def sell() -> None:
        with (stack.places.order_log / f"orders-{batch.prefix}.log").open("ab", 0) as file:
            for number in range(100_000):
                now = int(time.time() * 1000)
                line = f"8|{now}|{batch.prefix}-T{number}|1|SALE|3|mocha|1|80.00|\n"
                if number % 10 == 9:
                    line = f"8|{now}|{batch.prefix}-T{number}|1|SOLD|3|mocha|1|80.00|\n"
                file.write(line.encode())
                if number % 5 == 4:
                    file.write(line.encode())
                if ended.wait(0.02):
                    return

    till = Thread(target=sell)
    till.start()
    try:
        for _ in range(2):
            document = verified(stack)
            assert document["ok"], document["differences"]
        waited = verified(stack, "--wait")
        assert waited["ok"], waited["differences"]
        assert waited["behind"] == {}
        assert waited["counts"]["lines"] > document["counts"]["lines"]
    finally:
        ended.set()
        till.join()
    assert verified(stack, "--wait")["ok"]


def test_all_was_put_back_and_the_report_is_readable(stack: OwnStack, batch: Batch) -> None:
    done = stack.run("verify", "--wait", "--dates")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every hop has the same lines" in done.stdout
    assert "transactions_cln" in done.stdout
    assert "HBase:" in done.stderr, "progress goes to stderr"


def test_waiting_ends_in_a_sentence_that_names_the_hop(stack: OwnStack, batch: Batch) -> None:
    flume = Supervisor(stack.places).processes()["flume"].pid
    path = stack.places.order_log / f"orders-{batch.prefix}-late.log"
    os.kill(flume, signal.SIGSTOP)
    try:
        path.write_text("of no|use\n")
        done = stack.run("verify", "--wait", "--timeout", "1")
    finally:
        os.kill(flume, signal.SIGCONT)
    assert done.returncode == 1
    assert "was not reached within 1 s: Flume has 10 bytes" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert verified(stack, "--wait")["ok"]


def test_an_absent_file_of_hdfs_is_said_to_be_absent(stack: OwnStack) -> None:
    """Files are renamed and removed while they are listed and read: readers count on this."""
    hdfs = Hdfs(stack.settings.webhdfs, user="spark")
    with pytest.raises(FileNotFoundError):
        hdfs.read(f"{TRANSACTIONS}/nothing")
