"""A newcomer's session: `up` in a new data folder, the README's commands, `down`.

Whoever runs the tests, the newcomer is not root: where they are root, each command is run in a user
namespace, in which it is `nobody`. (Outside it is root who writes the files: that nothing is
written elsewhere is for the containers to show, whose user is another one and whose root is
read-only.)
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import psutil
import pytest

from cluster.supervision import Supervisor
from drill.idle import run_idle
from drill.stack import PORTS, OwnStack, describe
from pipeline.settings import Settings
from tests.integration.observation import pids, status
from tests.readme_page import labels, run, session, shape
from tests.shared_data import CUSTOMERS, PRODUCTS, RECEIPTS, require_data
from tests.waiting import wait_until

NOBODY: Final = "65534"


class NewcomersStack(OwnStack):
    """A stack whose commands are run by somebody who is not root."""

    def command(self, *arguments: str) -> list[str]:
        """Give the command line, in a namespace of its own where we are root."""
        words = super().command(*arguments)
        if os.geteuid():
            return words
        return ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--", *words]


@pytest.fixture(scope="module")
def demo() -> Iterator[OwnStack]:
    """Start the demo in a data folder and on ports of its own."""
    data = Path(tempfile.mkdtemp(prefix="loyalty-demo-"))
    # as a newcomer has it, but too seldom to be in the way of the refreshes below
    nightly = Settings.model_fields["refresh_nightly"].default
    described = describe(data, refresh="1h", refresh_nightly=nightly)
    running = NewcomersStack(described.settings, described.environment)
    started = running.run("up", "--rate", "2/s", timeout=600)
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield running
    finally:
        running.run("down", timeout=200)
        shutil.rmtree(data, ignore_errors=True)


def test_the_demo_is_healthy_and_has_members(demo: OwnStack) -> None:
    assert status(demo)["healthy"] is True
    rows = json.loads(demo.ok("sql", "--json", "select count(*) n from loyalty"))
    assert rows == [{"n": 2000}]


def test_refreshes_are_scheduled(demo: OwnStack) -> None:
    found = status(demo)
    (schedule,) = (one for one in found["components"] if one["name"] == "refresh")
    assert schedule["state"] == "answering"
    until = datetime.fromisoformat(found["refresh"]["next"]) - datetime.now(tz=UTC)
    assert timedelta(0) < until <= timedelta(hours=1)


def test_nobody_in_it_is_root(demo: OwnStack) -> None:
    daemon = psutil.Process(Supervisor(demo.places).daemon_pid())
    users = {
        # who a process is, as its namespace numbers its users
        Path(f"/proc/{one.pid}/uid_map").read_text(encoding="ascii").split()[0]
        if os.geteuid() == 0
        else str(one.uids().effective)
        for one in (daemon, *daemon.children(recursive=True))
    }
    assert users == {NOBODY if os.geteuid() == 0 else str(os.geteuid())}


def test_thirty_days_of_orders_are_everywhere_after_the_first_up(demo: OwnStack) -> None:
    written = {
        line
        for path in demo.places.order_files()
        for line in path.read_text(encoding="utf-8").splitlines()
        if "|history-" in line
    }
    days = "count(distinct order_id) orders, count(*) n, count(distinct odr_dt) days"
    (found,) = demo.sql(f"select {days} from transactions_cln where order_id like 'history-%'")
    assert (found["orders"], found["n"]) == (3000, len(written))
    assert found["days"] in {30, 31}
    # verify compares the lines of every hop; that of `up` itself is the snapshot
    hops = {hop["hop"]: hop["distinct"] for hop in demo.answer("verify", "--wait")["hops"]}
    assert min(hops[hop] for hop in ("topic", "HDFS raw", "HBase")) >= len(written)
    (spent,) = demo.sql("select count(*) n from loyalty where spnd_amt > 0")
    assert spent["n"] > 500, "Hive has something to say at once"


def test_an_invented_order_is_counted_by_a_refresh(demo: OwnStack) -> None:
    statement = (
        "select cust_id, order_id from transactions_cln where cust_id is not null"
        " and order_id like 'demo-%' order by ordered_at desc limit 1"
    )
    wait_until("an order in Hive", lambda: bool(demo.sql(statement)))
    row = demo.sql(statement)[0]
    assert row["order_id"] in demo.ok("orders", str(row["cust_id"]), "--json")
    demo.ok("refresh")
    spent = demo.sql(f"select spnd_amt from loyalty where cust_id = {row['cust_id']}")
    assert Decimal(spent[0]["spnd_amt"]) > 0


def test_the_rate_is_seen_as_asked(demo: OwnStack) -> None:
    demo.ok("rate", "5/s")

    def agrees() -> bool:
        producer = status(demo)["producer"]
        return bool(producer["asked"] == "5/s" and abs((producer["measured"] or 0) - 5) < 0.25)

    before = pids(demo)["producer"]
    wait_until("5/s is measured", agrees, seconds=90)
    assert pids(demo)["producer"] == before, "without a restart"
    demo.ok("rate", "30s")
    assert status(demo)["producer"]["asked"] == "30s"


def chain_files(folder: Path) -> Path:
    """Copy a chain's files into a folder, under the README's names; gives the folder."""
    require_data()
    for source in (RECEIPTS, CUSTOMERS, PRODUCTS):
        shutil.copy(source, folder / f"{re.sub(r'-2019.*', '', source.stem)}.csv")
    return folder


def test_the_readmes_first_session_prints_what_the_page_shows(
    demo: OwnStack, tmp_path: Path
) -> None:
    """Figures, members and items differ from run to run; all else is the same."""
    shown = session("demo")
    assert sum(bool(one.output) for one in shown) >= 5
    for one in shown:
        printed = run(one.command, tmp_path, demo.environment)
        assert not one.output or shape(printed) == shape(one.output), one.command


def test_the_readmes_screen_is_that_of_status(demo: OwnStack, tmp_path: Path) -> None:
    (screen,) = [one for one in session("screen") if one.output]
    printed = run(screen.command, tmp_path, demo.environment)
    assert labels(printed) == labels(screen.output)


def test_an_idle_demo_is_measured(demo: OwnStack) -> None:
    outcome = run_idle(demo, 1, 10, lambda _: None)
    assert outcome.count.differences == []
    assert outcome.count.lines > 3000
    found = {row.component: row.done for row in outcome.rows}
    assert found.keys() > {"kafka", "hbase", "hiveserver2", "streaming", "producer", "all"}


def test_a_slow_stream_of_orders_reaches_raw_once_and_nobody_is_restarted(
    demo: OwnStack,
) -> None:
    """With a long poll the HDFS sink's batch stayed open for minutes, and the agent was killed."""
    restarts = {c["name"]: c["restarts"] for c in status(demo)["components"]}
    assert restarts == dict.fromkeys(restarts, 0)

    def raw() -> dict[str, int]:
        hops = {hop["hop"]: hop for hop in json.loads(demo.ok("verify", "--json"))["hops"]}
        return dict(hops["HDFS raw"])

    demo.ok("rate", "resume")  # the README's session ended with a pause
    demo.ok("rate", "5/s")
    goal = raw()["lines"] + 100
    wait_until("a hundred lines more", lambda: raw()["lines"] > goal, seconds=120)
    found = raw()
    assert found["lines"] == found["distinct"]


def test_the_readmes_real_session_runs_as_it_stands(stack: OwnStack, tmp_path: Path) -> None:
    shown = session("real")
    assert len(shown) >= 5
    for one in shown:
        run(one.command, chain_files(tmp_path), stack.environment)


def test_customers_of_a_chain_pause_the_invented_orders(demo: OwnStack) -> None:
    require_data()
    demo.ok("rate", "2/s")
    done = demo.run("customers", "load", str(CUSTOMERS))
    assert done.returncode == 0, done.stderr
    assert "pause" in done.stderr
    assert "pause" in status(demo)["producer"]["asked"]
    wait_until(
        "every hop has what was written", lambda: demo.run("verify", "--wait").returncode == 0
    )


def test_down_leaves_no_process_and_no_port(demo: OwnStack) -> None:
    daemon = psutil.Process(Supervisor(demo.places).daemon_pid())
    family = [daemon, *daemon.children(recursive=True)]
    demo.ok("down")
    assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    listening = {
        c.laddr.port
        for c in psutil.net_connections("tcp")
        if c.status == psutil.CONN_LISTEN and c.laddr
    }
    assert listening & {getattr(demo.settings, name) for name in PORTS} == set()
    assert demo.run("down").returncode == 0, "a second down is fine"
