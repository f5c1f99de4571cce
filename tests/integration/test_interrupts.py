"""Ctrl-C on a real stack: what a command says that it left is what is there."""

import json
import re
import signal
import subprocess
from decimal import Decimal
from pathlib import Path

import psutil

from drill.stack import OwnStack
from tests.integration.oracle import Reckoning
from tests.waiting import wait_until


def stopped(stack: OwnStack, log: Path, *arguments: str, at: str) -> str:
    """Start a command, press Ctrl-C as soon as it has said `at`; gives its last sentence."""
    process = stack.start(*arguments, log=log)
    wait_until(f"it says {at}", lambda: re.search(at, log.read_text()) is not None)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130, log.read_text()
    assert "Traceback" not in log.read_text()
    return log.read_text().splitlines()[-1].removeprefix("stopped by Ctrl-C: ")


def test_produce_and_verify(stack: OwnStack, tmp_path: Path) -> None:
    key = tmp_path / "key.tsv"
    arguments = ["produce", "--rate", "200/s", "--duration", "600", "--answer-key", str(key)]
    process = stack.start(*arguments, log=tmp_path / "produce.log")
    wait_until("it writes", lambda: key.exists() and key.stat().st_size > 10_000)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    said = (tmp_path / "produce.log").read_text().splitlines()[-1]
    lines = re.search(r"([\d,]+) whole lines were written", said)
    assert lines is not None, said
    assert abs(len(key.read_text().splitlines()) - 1 - int(lines[1].replace(",", ""))) <= 1
    # what it said is written reaches every store
    stack.ok("verify", "--wait", "--answer-key", str(key))


def test_a_log_that_is_followed(stack: OwnStack, tmp_path: Path) -> None:
    said = stopped(stack, tmp_path / "said", "logs", "namenode", "-f", at=r"\w+")
    assert said == "the component runs on."
    assert stack.supervisor.processes()["namenode"].pid


def test_a_refresh_that_is_stopped_is_listed_as_that(
    stack: OwnStack, week: Reckoning, tmp_path: Path
) -> None:
    servers = {stack.settings.namenode_http_port, stack.settings.hiveserver2_port}
    process = stack.start("refresh", log=tmp_path / "said")

    def is_at_work() -> bool:
        asked = psutil.Process(process.pid).net_connections("tcp")
        return any(one.raddr and one.raddr.port in servers for one in asked)

    wait_until("it is at work", is_at_work)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130, (tmp_path / "said").read_text()
    assert json.loads(stack.ok("refreshes", "--json"))[0]["outcome"] == "stopped"
    assert stack.answer("status")["refresh"]["outcome"] == "stopped"
    # whatever it left, the next one is whole
    stack.ok("refresh", "--data-dt", "2019-04-05")
    rows = stack.sql("select spnd_amt from loyalty where data_dt = date '2019-04-05'")
    members = sum((amount for who, amount in week.spend.items() if who), Decimal(0))
    assert sum((Decimal(row["spnd_amt"]) for row in rows), Decimal(0)) == members


def test_hive_ends_a_statement_that_nobody_waits_for(
    stack: OwnStack, week: Reckoning, tmp_path: Path
) -> None:
    """One that sleeps a second for each member: half an hour, if nobody ended it."""
    sleep = "reflect('java.lang.Thread', 'sleep', cast(1000 as bigint))"
    statement = f"select sum(length(cast({sleep} as string))) from customers_cln"
    server = str(stack.supervisor.processes()["hiveserver2"].pid)

    def sleeps() -> bool:
        threads = subprocess.run(
            ["jcmd", server, "Thread.print"], capture_output=True, text=True, check=True
        )
        return "UDFReflect" in threads.stdout

    process = stack.start("sql", statement, log=tmp_path / "said")
    wait_until("Hive computes", sleeps, seconds=120)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    wait_until("Hive has ended it", lambda: not sleeps(), seconds=120)


def test_a_backup_that_is_stopped_keeps_nothing_and_the_readers_go_on(
    stack: OwnStack, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    said = stopped(stack, tmp_path / "said", "backup", str(folder), at="Flume and the stream pause")
    assert said.startswith("nothing was kept of the backup, and Flume and the stream go on")
    assert not folder.exists() or list(folder.iterdir()) == []
    stack.ok("produce", "--count", "1")
    stack.ok("verify", "--wait")
