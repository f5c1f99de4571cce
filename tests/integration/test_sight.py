"""What `status` and `doctor` see of a running stack, also while parts of it stand still."""

import json
import os
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from cluster.doctor import examine
from cluster.health import patience
from cluster.sizes import STORES, used
from drill.stack import OwnStack
from tests.integration.observation import pids, status
from tests.waiting import wait_until

OTHERS = {"quarantine", "refresh", "gaps", "disk's growth", "load"}
"""What the tests before this one may have spoilt on purpose, or those beside it."""


@contextmanager
def stopped(stack: OwnStack, *names: str) -> Iterator[None]:
    """Let processes stand still, for less time than the watcher needs to be sure of it."""
    running = [pids(stack)[name] for name in names]
    for pid in running:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in running:
            with suppress(ProcessLookupError):  # the watcher was faster
                os.kill(pid, signal.SIGCONT)


def all_is_well(stack: OwnStack) -> None:
    wait_until("all is well", lambda: bool(status(stack)["healthy"]), 90)


def sizes(stack: OwnStack) -> list[int | None]:
    """Give the bytes of each store, None where they are not measured yet."""
    return [one["bytes"] for one in status(stack)["disk"]]


def test_status_shows_every_hop_with_its_numbers(stack: OwnStack) -> None:
    all_is_well(stack)
    now = int(time.time() * 1000)
    name = f"SIGHT-{uuid.uuid4().hex[:12]}"
    good = [f"7|{now}|{name}|{n}|SALE|3|latte|1|70.00|" for n in range(1, 41)]
    before = status(stack)["quarantine"]
    stack.ok("produce", "--from", "-", stdin="\n".join([*good, f"7|{now}|{name}|1"]) + "\n")
    found: dict[str, Any] = {}

    def has_moved() -> bool:
        found.update(status(stack))
        return all(
            hop["rate"] and hop["age_seconds"] < 60 and hop["lag"] in {0, None}
            for hop in found["hops"]
        )

    wait_until("each hop has moved", has_moved, 120)
    assert [hop["name"] for hop in found["hops"] if hop["lag"] is None] == ["log"]
    day = found["quarantine"]
    assert day["lines"] >= before["lines"] + 41
    assert day["reasons"]["FIELDS"] == before["reasons"].get("FIELDS", 0) + 1
    wait_until("sizes are measured", lambda: None not in sizes(stack))
    assert [one["store"] for one in found["disk"]] == list(STORES)
    told = sum(size or 0 for size in sizes(stack))
    assert 0.7 < told / used(stack.places.data) < 1.3
    screen = stack.ok("status")
    assert "↳ transactions_cln" in screen
    assert len(screen.splitlines()) <= 30


def test_doctor_finds_nothing_on_a_running_stack(stack: OwnStack) -> None:
    all_is_well(stack)
    answer = json.loads(stack.run("doctor", "--json").stdout)
    assert {one["subject"] for one in answer["checks"] if one["ok"] is False} <= OTHERS
    by_subject = {one["subject"]: one for one in answer["checks"]}
    assert by_subject["Kafka broker"]["saw"].startswith("answers")
    for name in ("data folder", "jars", "ports", "order log", "supervisor", "lag"):
        assert by_subject[name]["ok"] is True


def test_doctor_names_who_stands_still_with_a_fix(
    stack: OwnStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in stack.settings.environment().items():
        monkeypatch.setenv(name, value)
    with stopped(stack, "thrift"):
        found = {check.subject: check for check in examine()}
    thrift = found["HBase Thrift"]
    assert thrift.ok is False
    assert "stopped by a signal" in thrift.saw
    assert "`kill -CONT" in thrift.fix
    assert "`./loyalty logs thrift`" in thrift.fix
    assert found["Kafka broker"].ok
    all_is_well(stack)


def test_status_waits_for_nobody_who_stands_still(stack: OwnStack) -> None:
    """Two seconds with the command's own start, on a machine that has time."""

    def timed() -> tuple[float, Any]:
        begun = time.monotonic()
        document = stack.answer("status")
        return time.monotonic() - begun, document

    usual, _ = timed()
    half = ("kafka", "namenode", "datanode", "metastore", "hiveserver2")
    with stopped(stack, *half):
        took, document = timed()
    assert took < 2 * usual + patience(), f"{usual:.1f} s where everyone answers"
    by_name = {c["name"]: c for c in document["components"]}
    for name in half:
        assert by_name[name]["state"] == "silent"
        assert "stopped by a signal" in by_name[name]["reason"]
    assert by_name["thrift"]["state"] != "down"
    assert document["lag"] == dict.fromkeys(("flume-hdfs", "flume-hbase", "streaming"))
    assert all(one["bytes"] is not None for one in document["disk"]), "what was remembered is told"
    all_is_well(stack)
