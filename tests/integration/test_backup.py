"""A backup of a running stack becomes the same stack elsewhere, which then survives its deaths."""

import json
import os
import re
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from cluster.boot import BOOT_ID, boot_file
from cluster.supervision import Supervisor
from drill.stack import OwnStack, describe
from drill.tables import read_state
from tests.integration.observation import pids, status

OLD_DAY = "2019-05-17"


@dataclass(frozen=True)
class Restored:
    """The new stack, the backup that it was made from, and what the old one showed before it."""

    stack: OwnStack
    folder: Path
    name: str
    before: list[dict[str, object]]


class Till:
    """A till of another make: it writes whole lines into an order log file of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file = folder / f"orders-till-{name}.log"
        self._name = name
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def _write(self) -> None:
        with self.file.open("ab", buffering=0) as file:
            number = 0
            while not self._stopped.wait(0.01):
                number += 1
                at = int(time.time() * 1000)
                line = f"7|{at}|{self._name}-{number}|1|SALE|3|latte|1|{number}.00|\n"
                file.write(line.encode())

    def __enter__(self) -> "Till":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        self._thread.join()


def feed(stack: OwnStack, name: str) -> None:
    """Write good lines of 2019, a duplicate, both sides of a conflict, a bad one, one too early."""
    at = int(time.time() * 1000)
    lines = [f"9|1558101600000|{name}-old-{n}|1|SALE|3|latte|1|{n}.00|" for n in range(1, 41)]
    lines += [lines[0], f"9|1558101600000|{name}-old-2|1|SALE|3|latte|1|99.00|", f"bad {name}",
              f"9|{at + 31_536_000_000}|{name}-ahead|1|SALE|3|latte|1|1.00|"]  # fmt: skip
    stack.ok("produce", "--from", "-", stdin="\n".join(lines) + "\n")
    stack.ok("verify", "--wait")


@contextmanager
def gone_at_the_end(stack: OwnStack) -> Iterator[None]:
    try:
        yield
    finally:
        stack.run("down", timeout=200)
        shutil.rmtree(stack.settings.data, ignore_errors=True)


@pytest.fixture(scope="module")
def restored(quiet_stack: OwnStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    """Back a shared stack up while a till writes, and restore that into a stack of its own."""
    stack = quiet_stack
    folder = tmp_path_factory.mktemp("backup")
    name = f"B{uuid.uuid4().hex[:10]}"
    members = folder.parent / f"{name}.csv"
    members.write_text("".join(
        f'{n},3,"Name {n}",a{n}@x.test,2019-01-01,"C-{n}",1980-01-01,F,1980\n'
        for n in (*range(7, 30), 9)  # the last one is there already
    ))  # fmt: skip
    stack.ok("customers", "load", str(members))
    stack.ok("rate", "pause")
    stack.ok("rate", "7/s")
    feed(stack, name)
    stack.ok("refresh", "--data-dt", OLD_DAY)
    before, snapshot = read_state(stack), loyalty(stack)
    with Till(stack.places.order_log, name):
        report = json.loads(stack.ok("backup", str(folder), "--json"))
    assert OLD_DAY in report["snapshots"]
    stack.ok("verify", "--wait")
    assert status(stack)["healthy"], "Flume and the stream go on"

    other = describe(Path(tempfile.mkdtemp(prefix="loyalty-restored-")), trigger_seconds="2")
    with gone_at_the_end(other):
        other.ok("restore", str(folder), timeout=900)
        other.ok("verify", "--wait")
        # what was there before the till, to the offset; the till's lines have dates of today
        changed = {
            day
            for day, rows in read_state(other).rows.items()
            if rows != before.rows.get(day, (0, "", ""))
        }
        assert len(changed) <= 2, changed
        assert read_state(other).quarantined == before.quarantined
        yield Restored(other, folder, name, snapshot)


def loyalty(stack: OwnStack) -> list[dict[str, object]]:
    return stack.sql(f"select * from loyalty where data_dt = date '{OLD_DAY}' order by cust_id")


def written(restored: Restored, folder: Path) -> tuple[int, int]:
    """Count the till's lines in order log files, and add their amounts up; plain Python."""
    pattern = re.compile(rb"\|%s-([0-9]+)\|" % restored.name.encode())
    found = [int(n) for path in folder.glob("orders*.log")
             for n in pattern.findall(path.read_bytes())]  # fmt: skip
    assert len(set(found)) == len(found)
    return len(found), sum(found)


def counted(restored: Restored) -> tuple[int, int]:
    """Ask Hive for the same."""
    (row,) = restored.stack.sql(
        "select count(*) n, cast(sum(odr_prc) as bigint) s from transactions_cln"
        f" where order_id rlike '^{restored.name}-[0-9]+$'"
    )
    return int(row["n"]), int(row["s"])


def test_every_line_of_the_backup_is_there_once(restored: Restored) -> None:
    lines, amount = written(restored, restored.folder / "orders-log")
    assert lines > 100, "the till wrote while the backup was taken"
    assert counted(restored) == (lines, amount)
    assert written(restored, restored.stack.places.order_log) == (lines, amount)


def test_only_what_raw_does_not_have_is_read_again(restored: Restored) -> None:
    """So a line that was too early once stays quarantined, whatever the time is by now."""
    hops = {hop["hop"]: hop for hop in restored.stack.answer("verify")["hops"]}
    assert hops["topic"]["distinct"] < hops["log files"]["distinct"]
    assert hops["HDFS raw"]["distinct"] == hops["log files"]["distinct"]
    rows = restored.stack.sql(
        f"select reason from quarantine where cast(raw as string) like '%{restored.name}%'"
    )
    assert sorted(row["reason"] for row in rows) == ["CONFLICT", "FIELDS", "FUTURE"]


def test_the_rebuild_finds_the_same_rows(restored: Restored) -> None:
    assert restored.stack.answer("rebuild")["ok"]


def test_till_and_snapshots_show_the_same(restored: Restored) -> None:
    assert loyalty(restored.stack) == restored.before
    orders = restored.stack.answer("orders", "9", "--last", "100")
    assert f"{restored.name}-old-2" in json.dumps(orders)
    assert f"{restored.name}-ahead" not in json.dumps(orders)
    assert status(restored.stack)["gaps"] == []


def test_what_lay_beside_the_stores_is_there_too(restored: Restored) -> None:
    places, copied = restored.stack.places, restored.folder
    assert [path.name for path in (copied / "rejected").iterdir()] != []
    for path in (copied / "rejected").iterdir():
        assert (places.data / "rejected" / path.name).read_bytes() == path.read_bytes()
    runs = (places.data / "refreshes.jsonl").read_bytes()
    assert runs.startswith((copied / "refreshes.jsonl").read_bytes())
    members = (copied / "producer" / "members.csv").read_bytes()
    assert members.count(b"\n") > 20
    assert (places.producer / "members.csv").read_bytes() == members
    # the rate that was asked for, and a pause
    assert status(restored.stack)["producer"]["asked"] == "pause"
    assert restored.stack.ok("rate", "pause") == "asked for 7/s, paused\n"


def test_a_power_cut_after_it_is_noticed(restored: Restored) -> None:
    assert boot_file(restored.stack.places).read_text() == BOOT_ID.read_text().strip()


def test_a_stack_that_is_there_is_not_overwritten(restored: Restored) -> None:
    done = restored.stack.run("restore", str(restored.folder))
    assert done.returncode == 1
    assert "holds a stack already" in done.stderr


LEFT = ("kafka", "hiveserver2")


def test_up_makes_it_whole_whoever_has_died(restored: Restored) -> None:
    """All but two die in one moment, supervisord as well, and the pid file names a process that is
    somebody else's now: `up` ends who was left, and starts everybody.
    """
    stack = restored.stack
    daemon = psutil.Process(Supervisor(stack.places).daemon_pid())
    name = f"R{restored.name[1:]}"
    with Till(stack.places.order_log, name) as till:
        left = {pids(stack)[one] for one in LEFT}
        family = [daemon, *daemon.children(recursive=True)]
        assert len(family) > 10
        killed = [process for process in family if process.pid not in left]
        for process in killed:
            process.kill()
        psutil.wait_procs(killed, timeout=10)
        assert all(psutil.pid_exists(pid) for pid in left)
        (stack.places.run / "supervisord.pid").write_text(f"{os.getpid()}\n")
        assert "run on that nobody looks after" in status(stack)["watcher"]
        assert "left running" in stack.run("up", timeout=900).stderr
        assert not any(psutil.pid_exists(pid) for pid in left)
    lines = till.file.read_bytes().count(b"\n")
    stack.ok("verify", "--wait")
    assert status(stack)["healthy"]
    (row,) = stack.sql(f"select count(*) n from transactions_cln where order_id like '{name}-%'")
    assert row["n"] == lines > 100
