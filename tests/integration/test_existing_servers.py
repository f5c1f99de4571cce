"""A pipeline on the servers of another stack: all four given, Flume and the stream its own."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource  # type: ignore[attr-defined]

from cluster.jars import resolve_jars
from cluster.readiness import QUESTIONS
from cluster.stack import Stack
from cluster.stamp import write_stamp
from cluster.startup import run_steps
from cluster.storage import make_folders
from drill.stack import OwnStack, describe, free_ports, is_removed, new_folder, running
from pipeline.errors import Refused
from pipeline.places import RAW
from pipeline.programme import read_programme
from pipeline.webhdfs import Hdfs
from tests.integration.observation import pids
from tests.waiting import wait_until

STAGES = {"flume", "streaming", "refresh", "producer"}


@contextmanager
def servers() -> Iterator[OwnStack]:
    """Start the servers of a stack without its stages; at the end they go down, with their data."""
    with new_folder(is_removed) as data:
        own = describe(data)
        stack = Stack(own.settings, read_programme(own.settings.programme))
        jars = resolve_jars(lambda *_: None)
        try:
            found = write_stamp(own.settings, stack.programme.time_zone, "empty")
            stack.prepare(jars)
            steps = [s for s in stack.start_steps(found, jars) if s.name not in STAGES]
            run_steps(steps, lambda *_: None, stack.halt)
            yield own
        finally:
            stopped = own.run("down", timeout=200)
            assert stopped.returncode == 0, stopped.stderr


def retention_days(stack: OwnStack) -> float:
    asked = ConfigResource(ConfigResource.Type.TOPIC, stack.settings.topic)
    admin = AdminClient({"bootstrap.servers": stack.settings.kafka})
    found = admin.describe_configs([asked])[asked].result(10)
    return int(found["retention.ms"].value) / 86_400_000


def test_all_four_are_used_and_left_alone() -> None:
    with servers() as first, new_folder(is_removed) as data:
        at = first.settings
        second = describe(
            data, trigger_seconds="2", topic="of-two", topic_retention_days="40", kafka=at.kafka,
            hdfs=at.hdfs.removeprefix("hdfs://"), webhdfs=at.webhdfs.removeprefix("http://"),
            hbase=str(at.thrift), zookeeper=at.zookeeper, hive=str(at.hive),
        )  # fmt: skip
        _refuses_who_does_not_answer(second)
        before = pids(first)
        with running(second, "--empty"):
            _is_one_pipeline(second)
            assert pids(second).keys() == STAGES
            wait_until("all are well", lambda: bool(second.answer("status")["healthy"]), 120)
            given = {c["name"]: c for c in second.answer("status")["components"] if c["given"]}
            assert given.keys() == pids(first).keys() - STAGES
            assert given["kafka"]["given"] == at.kafka
            assert given["hiveserver2"]["given"] == str(at.hive)
            assert f"given, answering at {at.kafka}" in second.run("status").stdout
            assert "its log is there" in second.run("logs", "kafka").stderr
            assert retention_days(second) == 40
        assert pids(first) == before
        for ask in {ask for name, ask in QUESTIONS.items() if name not in STAGES}:
            ask(at)
        # a folder of somebody else's with something in it is not taken
        hdfs = Hdfs(at.webhdfs, user=at.superuser)
        hdfs.own(RAW, "etl", "lake", "750")
        with pytest.raises(Refused, match=f"{RAW} on the given HDFS belongs to etl"):
            make_folders(hdfs, second.places.scratch, second.settings.given)


def _refuses_who_does_not_answer(stack: OwnStack) -> None:
    """`up` names it, and begins nothing."""
    nobody = f"127.0.0.1:{free_ports(1)[0]}"
    wrong = replace(stack, environment=stack.environment | {"LOYALTY_KAFKA": nobody})
    done = wrong.run("up", "--empty")
    assert done.returncode == 1
    assert done.stderr.count("does not answer: ") == 1, done.stderr
    assert f"LOYALTY_KAFKA={nobody} does not answer: " in done.stderr
    assert not (stack.settings.data / "stamp.json").exists()


def _is_one_pipeline(stack: OwnStack) -> None:
    """One order and one bad line are at every hop, read through its own client."""
    order, now = f"GIVEN-{uuid.uuid4().hex[:12]}", int(time.time() * 1000)
    line = f"7|{now}|{order}|1|SALE|3|latte|1|70.00|"
    stack.ok("produce", "--from", "-", stdin=f"{line}\nno line\n")
    outcome = stack.answer("verify", "--wait")
    assert outcome["ok"], outcome
    assert order in stack.ok("orders", "7", "--json")
    said = stack.ok("sql", "--json", "select order_id, odr_prc from transactions_cln")
    rows = json.loads(said)
    assert rows == [{"order_id": order, "odr_prc": "70.00"}]
