"""The timer of HBase's client, by its class in the place of one of Netty's (cluster/hbase/java)."""

import subprocess
from pathlib import Path

import pytest

from cluster.classes import compile_classes
from cluster.jars import resolve_jars
from drill.stack import OwnStack
from pipeline.progress import unseen
from tests.integration.observation import pids

KEPT = {
    "cancel": "truefalsetrue",
    "order": "atruebctruefalse",
    "early": "false",
    "pending": "1",
    "left": "true",
    "stopped": "true",
}
"""What both classes do."""
TURNS = 50
"""Netty's own wakes some 200 times in the two seconds in which nothing is due."""


@pytest.mark.parametrize("is_ours", [True, False])
def test_it_does_what_nettys_does_and_sleeps_until_something_is_due(
    tmp_path: Path, is_ours: bool
) -> None:
    """With Netty's own class the same look finds the turns of its wheel."""
    jars = resolve_jars(unseen)["hbase"]
    classpath = f"{compile_classes('hbase', jars)}:{jars}/*" if is_ours else f"{jars}/*"
    source = Path(__file__).parent / "Due.java"
    subprocess.run(
        ["javac", "-proc:none", "-cp", classpath, "-d", str(tmp_path), str(source)], check=True
    )
    done = subprocess.run(
        ["java", "-cp", f"{tmp_path}:{classpath}", "Due"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    woken = int(found.pop("woken"))
    assert found == KEPT
    assert (woken < TURNS) == is_ours, woken


@pytest.mark.parametrize("component", ["hbase", "thrift", "flume"])
def test_the_servers_run_with_it(quiet_stack: OwnStack, component: str) -> None:
    """Netty's own keeps its wheel in the heap."""
    heap = subprocess.run(
        ["jcmd", str(pids(quiet_stack)[component]), "GC.class_histogram", "-all"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "thirdparty.io.netty.util.HashedWheelTimer" in heap
    assert "HashedWheelTimer$HashedWheelBucket" not in heap
