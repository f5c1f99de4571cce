"""Everyday operation: a second `up`, a death, an outage, what `status` says of them."""

import json
import os
import signal
import time
import uuid
from dataclasses import replace
from typing import Any

from cluster.readiness import ask_thrift
from cluster.regionserver import ask_regionserver
from cluster.supervision import Supervisor
from drill.stack import OwnStack, describe
from pipeline.lock import only_one
from tests.integration.observation import components, pids, status
from tests.waiting import wait_until


def test_status_is_one_object_with_what_scripts_rely_on(stack: OwnStack) -> None:
    document = stack.answer("status")
    assert document["healthy"] is True
    for component in document["components"]:
        assert {"name", "state", "restarts", "port", "rss_mib"} <= component.keys()
    assert document["producer"].keys() >= {"asked", "measured"}
    assert document["lag"].keys() == {"flume-hdfs", "flume-hbase", "streaming"}
    assert document["refresh"].keys() >= {"last", "outcome"}
    by_name = {c["name"]: c for c in document["components"]}
    assert by_name["kafka"]["state"] == "answering"
    assert by_name["kafka"]["port"] == stack.settings.kafka_port
    assert by_name["hbase"]["rss_mib"] > 50


def test_up_again_starts_nothing(stack: OwnStack) -> None:
    before = pids(stack)
    stack.ok("up")
    assert pids(stack) == before
    assert before["producer"] == 0, "a folder begun with --empty gets no producer"


def test_up_with_other_settings_than_run_is_refused(stack: OwnStack) -> None:
    other = replace(stack, environment=stack.environment | {"LOYALTY_TRIGGER_SECONDS": "3"})
    done = other.run("up")
    assert done.returncode == 1
    assert "another LOYALTY_TRIGGER_SECONDS" in done.stderr


def test_a_second_up_while_one_runs_is_refused(stack: OwnStack) -> None:
    with only_one(stack.places.run / "up.lock", "An `up`"):
        done = stack.run("up")
    assert done.returncode == 1
    assert f"process {os.getpid()}" in done.stderr


def test_a_component_that_dies_is_started_again_and_counted(stack: OwnStack) -> None:
    before = components(stack)["thrift"]["restarts"]
    os.kill(pids(stack)["thrift"], signal.SIGKILL)
    wait_until("the restart is counted",
               lambda: components(stack)["thrift"]["restarts"] == before + 1)  # fmt: skip
    wait_until("Thrift answers", lambda: components(stack)["thrift"]["state"] == "answering")
    order = f"RESTART-{uuid.uuid4().hex[:12]}"
    line = f"7|{int(time.time() * 1000)}|{order}|1|SALE|3|latte|1|70.00|"
    stack.ok("produce", "--from", "-", stdin=line + "\n")
    wait_until("the till has the order", lambda: order in stack.ok("orders", "7", "--json"))
    assert components(stack)["thrift"]["restarts"] == before + 1, "once, and not again"


def test_an_hbase_that_stands_still_is_killed_and_told_about(stack: OwnStack) -> None:
    ask_regionserver(stack.settings)
    before, pid = components(stack)["hbase"], pids(stack)["hbase"]
    os.kill(pid, signal.SIGSTOP)
    ask_thrift(stack.settings)  # answers for itself, so it is HBase that is at fault
    # the rounds of the watcher are 10 s apart, then 5: two of them, each as slow as the machine
    wait_until("the watcher has killed it", lambda: pids(stack)["hbase"] not in {0, pid}, 120)
    wait_until("HBase answers", lambda: components(stack)["hbase"]["state"] == "answering", 120)
    after = components(stack)["hbase"]
    assert after["restarts"] == before["restarts"] + 1
    assert "was killed by the watcher" in after["reason"]
    assert after["reason"].endswith("its process is stopped by a signal")
    assert status(stack)["healthy"]


def test_a_flume_that_stands_still_is_not_healthy(stack: OwnStack) -> None:
    pid = pids(stack)["flume"]
    found: dict[str, Any] = {}

    def is_stuck() -> bool:  # for five seconds, then it is killed
        document = status(stack)
        flume = next(c for c in document["components"] if c["name"] == "flume")
        found.update(flume, healthy=document["healthy"])
        return bool(flume["state"] == "stuck")

    os.kill(pid, signal.SIGSTOP)
    wait_until("status says so", is_stuck, 120)
    assert not found["healthy"]
    assert "stopped by a signal" in found["reason"]
    wait_until("the watcher has killed it", lambda: pids(stack)["flume"] not in {0, pid}, 120)
    wait_until("all is well again", lambda: bool(status(stack)["healthy"]), 120)


def test_hiveserver2_away_is_a_sentence_and_the_stream_goes_on(stack: OwnStack) -> None:
    supervisor = Supervisor(stack.places)
    supervisor.stop("hiveserver2")
    try:
        done = stack.run("sql", "select 1", timeout=60)
        assert done.returncode == 1
        assert "HiveServer2 does not answer" in done.stderr
        assert status(stack)["healthy"] is False
        now = int(time.time() * 1000) - 86_400_000  # yesterday: a partition Hive has not seen
        stack.ok("produce", "--from", "-", stdin=f"9|{now}|AWAY-{now}|1|SALE|3|latte|1|70.00|\n")
        wait_until("the stream has taken it", lambda: status(stack)["lag"]["streaming"] == 0)
    finally:
        supervisor.start("hiveserver2")
    statement = f"select count(*) n from transactions_cln where order_id = 'AWAY-{now}'"

    def seen() -> bool:
        answer = stack.run("sql", "--json", statement)
        return answer.returncode == 0 and json.loads(answer.stdout)[0]["n"] == 1

    wait_until("Hive has caught up", seen, seconds=120)


def test_hbase_away_is_a_sentence(stack: OwnStack) -> None:
    supervisor = Supervisor(stack.places)
    supervisor.stop("thrift")
    try:
        begun = time.monotonic()
        done = stack.run("orders", "7", timeout=60)
        assert done.returncode == 1
        assert "HBase" in done.stderr
        assert "Traceback" not in done.stderr
        assert time.monotonic() - begun < 20
    finally:
        supervisor.start("thrift")
    wait_until("Thrift answers", lambda: components(stack)["thrift"]["state"] == "answering")


def test_a_busy_port_is_refused_with_its_holder(stack: OwnStack, tmp_path_factory: Any) -> None:
    data = tmp_path_factory.mktemp("busy")
    second = describe(data, kafka_port=str(stack.settings.kafka_port))
    done = second.run("up", "--empty")
    assert done.returncode == 1
    assert f"port {stack.settings.kafka_port} for Kafka broker is taken by process" in done.stderr
    assert not (data / "stamp.json").exists(), "nothing was begun"


def test_everything_listens_on_loopback_only(stack: OwnStack) -> None:
    import psutil

    family = psutil.Process(Supervisor(stack.places).daemon_pid()).children(recursive=True)
    addresses = {
        connection.laddr.ip
        for process in family
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses
    assert addresses <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_status_names_a_link_to_nothing(stack: OwnStack) -> None:
    link = stack.places.order_log / "orders-loop.log"
    link.symlink_to(link.name)
    try:
        document = status(stack)
    finally:
        link.unlink()
    assert document["healthy"] is False
    (says,) = document["left_out"]
    assert says.startswith(f"{link} is a link to nothing")
