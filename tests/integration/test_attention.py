"""Flume's sinks look again soon after they found nothing (flume/java/loyalty)."""

import subprocess
from pathlib import Path

from cluster.classes import compile_classes
from cluster.jars import resolve_jars
from pipeline.progress import unseen

ASKED = ["BACKOFF", "BACKOFF", "BACKOFF", "BACKOFF", "READY", "BACKOFF", "FAILED", "BACKOFF"]


def test_an_empty_channel_is_looked_at_again_after_a_short_pause(tmp_path: Path) -> None:
    jars = resolve_jars(unseen)["flume"]
    classpath = f"{compile_classes('flume', jars)}:{jars}/*"
    source = Path(__file__).parent / "Attention.java"
    subprocess.run(
        ["javac", "-proc:none", "-cp", classpath, "-d", str(tmp_path), str(source)], check=True
    )
    done = subprocess.run(
        ["java", "-cp", f"{tmp_path}:{classpath}", "Attention", *ASKED],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split() for line in done.stdout.splitlines() if line[:5] in {"READY", "no_HB"}]
    said, took = [word for word, _ in lines], [int(ms) for _, ms in lines]
    # never BACKOFF: the runner would sleep for seconds; a failure stays its affair
    assert said == ["READY"] * 6 + ["no_HBase", "READY"]
    for ms, least in zip(took, [40, 80, 100, 100, 0, 40, 0, 80], strict=True):
        assert ms >= least, took
