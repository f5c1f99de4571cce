"""docker-compose.yml for real: the receipts go the whole path, containers die, the data stays.

One story on one project, in the order of the tests; each leaves it whole.
"""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import happybase
import psutil
import pytest
from confluent_kafka import Consumer, TopicPartition
from pyhive import hive

from drill.kills import Blow, run_blows
from drill.plan import Plan
from drill.project import ContainerStack, describe_project, describe_stack
from pipeline.errors import LoyaltyError
from pipeline.places import RAW
from pipeline.settings import ROOT
from pipeline.webhdfs import Hdfs
from tests.engine import engine
from tests.integration.oracle import customer_ids, reckon
from tests.shared_data import CUSTOMERS, PRODUCTS, RECEIPTS, require_data
from tests.waiting import wait_until

# with the engine and the image, made from nothing on a busy machine
pytestmark = pytest.mark.timeout(2700)

ONCE = {"settings", "storage", "hbase-tables", "hive-tables", "demo"}
PERIOD = "odr_dt between date '2019-04-01' and date '2019-04-05'"
BUILD_SECONDS = 1800
SECRETS = (".env", ".netrc", ".npmrc", "settings.xml", "*.key", "id_rsa*", "id_ed25519*")


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerStack]:
    """Build the image and start everything; it goes with its volumes at the end."""
    require_data()
    with engine() as environment:
        # as a newcomer has it, but for refreshes that would be in the way of the tests' own
        project = describe_project(
            tmp_path_factory.mktemp("compose"), environment,
            trigger_seconds="2", producer="1", refresh="1h",
        )  # fmt: skip
        project.compose("build", "-q", timeout=BUILD_SECONDS)
        try:
            project.up()
            yield describe_stack(project)
        finally:
            project.compose("down", "-v", "--remove-orphans", "--rmi", "all")


def totals(containers: ContainerStack) -> tuple[dict[str, int], dict[str, Decimal]]:
    """Ask Hive for lines and amounts of each date."""
    rows = containers.sql("select cast(odr_dt as string) d, count(*) n, sum(odr_prc) s"
                     f" from transactions_cln where {PERIOD} group by odr_dt")  # fmt: skip
    return {r["d"]: r["n"] for r in rows}, {r["d"]: Decimal(r["s"]) for r in rows}


def assert_zeros(containers: ContainerStack) -> None:
    found = containers.answer("verify", "--wait")
    assert found["ok"], found["differences"]


def count_of(containers: ContainerStack, run: str) -> int:
    """Count the rows of invented orders: of the demo's history, or of its producer."""
    (row,) = containers.sql(
        f"select count(*) n from transactions_cln where order_id like '{run}-%'"
    )
    return int(row["n"])


def test_every_service_is_healthy_and_orders_flow(containers: ContainerStack) -> None:
    states = containers.project.states()
    assert {name for name, state in states.items() if state == "exited"} == ONCE
    assert {state for name, state in states.items() if name not in ONCE} == {"healthy"}
    wait_until("the watcher has looked", lambda: bool(containers.answer("status")["healthy"]), 120)
    assert count_of(containers, "history") > 3000
    wait_until("a first order", lambda: count_of(containers, "demo") > 0)
    said = containers.ok("sql", "--json", "select count(*) n from loyalty")
    assert json.loads(said) == [{"n": 2000}]
    assert_zeros(containers)
    # Docker's own affairs are Docker's
    assert "docker compose up -d --wait" in " ".join(containers.run("up").stderr.split())


def test_no_container_is_root_or_may_more_than_it_needs(containers: ContainerStack) -> None:
    for name, one in containers.project.containers().items():
        host = one["HostConfig"]
        assert one["Config"]["User"] not in {"", "0", "root"}, name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Init"], name
        assert host["Memory"] > 0, name
        for published in (host["PortBindings"] or {}).values():
            assert {binding["HostIp"] for binding in published} == {"127.0.0.1"}, name
        if name not in ONCE:
            first = psutil.Process(one["State"]["Pid"])
            family = [first, *first.children(recursive=True)]
            assert len(family) >= 2, name
            assert all(process.uids().real != 0 for process in family), name


def test_the_image_has_no_tools_and_no_secret(containers: ContainerStack) -> None:
    image = containers.project.containers()["loyalty"]["Image"]

    def shell(script: str) -> str:
        words = ("--rm", "--user", "0", "--entrypoint", "sh", image, "-c", f"{script}; true")
        return containers.project.docker("run", *words)

    assert shell("for t in mvn javac gcc git curl; do command -v $t; done") == ""
    assert shell("find / -xdev -path '*/bin/pip*'") == ""
    named = " -o ".join(f"-name '{name}'" for name in SECRETS)
    found = shell(f"find / -xdev '(' -path '*/secrets/*' -o {named} ')'").split()
    # what the base brings of the machine that made it is none of ours
    theirs = {"root", "etc", "usr"}
    assert [path for path in found if Path(path).parts[1] not in theirs] == []
    (config,) = json.loads(containers.project.docker("image", "inspect", image))
    said = json.dumps(config["Config"]) + containers.project.docker("history", "--no-trunc", image)
    assert not re.search(r"password|secret|token", said, re.IGNORECASE)


def test_the_receipts_give_the_same_totals_as_natively(containers: ContainerStack) -> None:
    containers.ok("customers", "load", str(CUSTOMERS))
    assert "pause" in containers.answer("status")["producer"]["asked"]
    containers.ok("replay", str(RECEIPTS), "--products", str(PRODUCTS))
    assert_zeros(containers)
    week = reckon()
    wait_until("Hive", lambda: totals(containers) == (week.lines, week.amounts), seconds=120)
    containers.ok("refresh", "--data-dt", "2019-04-05")
    rows = containers.sql("select cust_id, spnd_amt from loyalty where data_dt = date '2019-04-05'")
    found = {str(row["cust_id"]): Decimal(row["spnd_amt"]) for row in rows}
    assert found == {i: week.spend.get(i, Decimal(0)) for i in customer_ids()}


def test_files_of_the_host_are_gone_when_their_command_has_ended(
    containers: ContainerStack,
) -> None:
    assert containers.project.compose(
        "exec", "-T", "loyalty", "find", "/data/incoming", "-type", "f"
    ) == ""  # fmt: skip


def test_settings_that_do_not_fit_the_data_end_the_start(containers: ContainerStack) -> None:
    with pytest.raises(LoyaltyError, match="has partitions of 24 hours"):
        containers.project.compose(
            "run", "--rm", "-T", "-e", "LOYALTY_PARTITION_HOURS=1", "settings"
        )


def test_a_given_server_is_asked_and_none_is_started(containers: ContainerStack) -> None:
    docker = containers.project.docker
    container = containers.project.compose(
        "run", "-d", "--no-deps", "-e", "LOYALTY_KAFKA=kafka:19092", "kafka"
    ).strip()
    try:
        health = "{{.State.Health.Status}}"
        wait_until("it answers for the given one", lambda: (
            docker("inspect", "--format", health, container).strip() == "healthy"
        ))  # fmt: skip
        assert "java" not in docker("top", container)
    finally:
        docker("rm", "-f", container)


def test_the_stream_stands_while_its_table_is_repaired(containers: ContainerStack) -> None:
    repaired = containers.answer(
        "rebuild", "--from", "2019-04-01", "--to", "2019-04-05", "--repair"
    )
    assert (repaired["missing"], repaired["foreign"], repaired["other"]) == (0, 0, 0)
    assert_zeros(containers)


def test_the_hosts_own_clients_reach_the_published_ports(containers: ContainerStack) -> None:
    at = containers.settings
    with (
        closing(hive.connect("127.0.0.1", at.hiveserver2_port)) as session,
        session.cursor() as cursor,
    ):
        cursor.execute(f"select count(*) from transactions_cln where {PERIOD}")
        assert cursor.fetchall() == [(8203,)]
    connection = happybase.Connection("127.0.0.1", at.thrift_port, timeout=10_000)
    assert sum(1 for _ in connection.table("orders").scan()) > 8000
    connection.close()
    consumer = Consumer({"bootstrap.servers": at.kafka, "group.id": "of-the-host"})
    parts = consumer.list_topics(at.topic, timeout=20).topics[at.topic].partitions
    ends = [consumer.get_watermark_offsets(TopicPartition(at.topic, p), timeout=20)[1]
            for p in parts]  # fmt: skip
    consumer.close()
    files = containers.places.order_files()
    written = sum(path.read_bytes().count(b"\n") for path in files)
    assert sum(ends) == written > 8203
    hdfs = Hdfs(at.webhdfs, user="flume")
    lines = sum(hdfs.read(path).count(b"\n") for path, _ in hdfs.walk(RAW))
    assert lines == written, "read from the DataNode, whither the NameNode has sent us"


def test_killed_under_load_they_come_back_and_nothing_is_lost(containers: ContainerStack) -> None:
    """`./loyalty --compose drill kills`, reduced: by the processes' ids on this machine."""
    blows = [Blow((name,)) for name in ("flume", "datanode")]
    outcome = run_blows(containers, Plan(None, 1, 100, 20261130), blows, lambda _: None)
    assert outcome.ok, [*outcome.count.differences, *outcome.complaints]
    assert [row.component for row in outcome.rows] == [blow.names[0] for blow in blows]
    assert all(row.killed and row.killed != row.answers for row in outcome.rows)


def test_what_stands_still_ends_itself_and_is_started_again(containers: ContainerStack) -> None:
    """Without an answer to three questions the main process ends, and Docker's policy acts."""
    before = containers.project.containers()["thrift"]["RestartCount"]
    containers.project.compose("exec", "thrift", "sh", "-c", "kill -STOP $(pidof java)")

    def is_back() -> bool:
        one = containers.project.containers()["thrift"]
        return bool(
            one["RestartCount"] > before and containers.project.states()["thrift"] == "healthy"
        )

    wait_until("it was started again and answers", is_back, seconds=240)
    assert containers.project.containers()["thrift"]["RestartCount"] == before + 1, "once"
    assert containers.answer("orders", "7", "--last", "1") is not None


def test_orders_flow_when_they_are_asked_for(containers: ContainerStack) -> None:
    containers.ok("rate", "20/s")
    containers.ok("rate", "resume")
    before = count_of(containers, "demo")
    wait_until("orders in Hive", lambda: count_of(containers, "demo") > before, seconds=120)
    containers.ok("rate", "pause")
    assert "pause" in containers.answer("status")["producer"]["asked"]
    assert_zeros(containers)


def test_ctrl_c_without_a_terminal_ends_the_command_inside(containers: ContainerStack) -> None:
    """Docker's client hands no signal on; the launcher does."""
    command = containers.command("produce", "--rate", "50/s", "--duration", "600")
    begun = [path.name for path in containers.places.order_files()]
    with subprocess.Popen(
        command, env=containers.environment, cwd=ROOT,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip

        def lines() -> int:
            new = [p for p in containers.places.order_files() if p.name not in begun]
            return sum(path.read_bytes().count(b"\n") for path in new)

        wait_until("it writes", lambda: lines() > 50)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130
        written = lines()
    assert f"stopped by Ctrl-C: at least {written:,} whole lines were written" in said
    time.sleep(2)
    assert lines() == written


def test_files_are_read_from_the_host(containers: ContainerStack, tmp_path: Path) -> None:
    file = tmp_path / "till.log"
    file.write_text("9|1558101600000|HOST-1|1|SALE|3|latte|1|4.00|\n")
    containers.ok("produce", "--from", str(file))
    done = containers.run("produce", "--from", "-", stdin="nonsense\n")
    assert done.returncode == 0, done.stderr
    assert_zeros(containers)
    question = "select count(*) n from transactions_cln where order_id = 'HOST-1'"
    wait_until("Hive", lambda: containers.sql(question) == [{"n": 1}])


def test_data_outlives_down_and_up_with_another_schedule(containers: ContainerStack) -> None:
    found = totals(containers)
    containers.project.compose("down")
    file = Path(containers.project.environment["PIPELINE_ENV_FILE"])
    file.write_text(file.read_text().replace("LOYALTY_REFRESH=1h", "LOYALTY_REFRESH=5s"))
    containers.project.up()
    assert_zeros(containers)
    assert totals(containers) == found

    def has_run() -> bool:
        last = containers.answer("refreshes", "--last", "1")
        return bool(last and last[0]["reason"] == "scheduled" and last[0]["ok"])

    wait_until("a scheduled refresh", has_run, seconds=120)


def test_down_v_removes_the_data(containers: ContainerStack) -> None:
    project = containers.project
    label = f"label=com.docker.compose.project={project.environment['COMPOSE_PROJECT_NAME']}"
    assert project.docker("volume", "ls", "-q", "--filter", label)
    project.compose("down", "-v")
    assert project.docker("volume", "ls", "-q", "--filter", label) == ""
    assert project.docker("ps", "-aq", "--filter", label) == ""
