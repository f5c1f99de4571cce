"""What `status` gathers, while those whom it asks hang."""

import socket
import subprocess
import sys
import time
from pathlib import Path

from cluster.diagnosis import split
from cluster.java import MARK
from cluster.report import describe
from cluster.stack import Stack
from cluster.supervision import socket_path
from pipeline.programme import read_programme
from pipeline.settings import Settings

SECONDS = 4


def test_a_supervisord_that_hangs_does_not_double_the_patience(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        socket.socket(socket.AF_UNIX) as supervisord,
    ):
        at = f"127.0.0.1:{silent.getsockname()[1]}"
        settings = Settings(data=tmp_path, LOYALTY_HBASE=at, LOYALTY_ZOOKEEPER=at)
        stack = Stack(settings, read_programme(settings.programme))
        socket_path(stack.places).parent.mkdir(parents=True)
        supervisord.bind(str(socket_path(stack.places)))
        supervisord.listen()
        begun = time.monotonic()
        document = describe(stack, SECONDS)
        took = time.monotonic() - begun
    assert took < SECONDS * 1.4
    assert "supervisord does not answer" in document["watcher"]
    (hbase,) = [c for c in document["components"] if c["name"] == "thrift"]
    assert (hbase["state"], hbase["given"]) == ("silent", at)
    assert hbase["error"].startswith("no answer within 2.0 s"), "half of the time is left for it"


def test_who_runs_on_without_supervisord_is_told_with_the_next_step(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    stack = Stack(settings, read_programme(settings.programme))
    command = [sys.executable, "-c", "input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env={MARK: str(tmp_path)}) as left:
        check = split("supervisor", describe(stack, SECONDS)["watcher"])
        left.kill()
    assert "of this stack 1 processes run on" in check.saw
    assert check.fix == "`./loyalty up` ends them and starts everything again"
