"""Flume's sinks look again soon after they found nothing (flume/java/loyalty)."""

import subprocess
from pathlib import Path

from cluster.classes import compile_classes
from cluster.jars import resolve_jars
from drill.stack import OwnStack
from pipeline.progress import unseen
from tests.integration.observation import pids

COURSE = [
    ("EMPTY", "READY", 1000),
    ("EMPTY", "READY", 2000),
    ("EMPTY", "READY", 2500),
    ("EMPTY", "READY", 2500),
    ("LINES", "READY", 0),
    ("EMPTY", "READY", 1000),
    ("FAILING", "BACKOFF", 0),
    ("THROWN", "THROWN", 0),
    ("EMPTY", "READY", 1000),
]
"""What the sink finds, what the runner hears of it, and after how many ms at least."""


def test_an_empty_channel_is_looked_at_again_after_a_short_pause(tmp_path: Path) -> None:
    """Of that the runner does not hear, or it would sleep for seconds; a failure is its affair."""
    jars = resolve_jars(unseen)["flume"]
    classpath = f"{compile_classes('flume', jars)}:{jars}/*"
    source = Path(__file__).parent / "Attention.java"
    subprocess.run(
        ["javac", "-proc:none", "-cp", classpath, "-d", str(tmp_path), str(source)], check=True
    )
    finds = [find for find, _, _ in COURSE]
    done = subprocess.run(
        ["java", "-cp", f"{tmp_path}:{classpath}", "Attention", *finds],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    words = [line.split() for line in done.stdout.splitlines() if line.startswith("heard ")]
    assert [heard for _, heard, _ in words] == [heard for _, heard, _ in COURSE]
    for (_, _, took), (_, _, pause) in zip(words, COURSE, strict=True):
        assert pause <= int(took) < pause + 900, words  # a busy machine oversleeps


def test_both_sinks_of_the_agent_are_asked_that_way(quiet_stack: OwnStack) -> None:
    """A group that Flume cannot make costs a line in its log, and the sink."""
    pid = pids(quiet_stack)["flume"]
    threads = subprocess.run(
        ["jcmd", str(pid), "Thread.print"], capture_output=True, text=True, check=True
    ).stdout
    assert threads.count('"SinkRunner-PollingRunner-AttentiveSinkProcessor"') == 2
