"""`./loyalty drill disk` as a user runs it: the disk is full under the log files, Kafka and HDFS in
turn, on a stack of its own; one JSON object, and nothing left behind.
"""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from drill.disk import COMPONENTS, FULL_SECONDS
from pipeline.settings import ROOT

TOO_SLOW = re.compile(r"while there was room the till wrote [0-9,]+ lines/s")
RATE = 100
SECONDS = 1000


def drill(folder: str) -> subprocess.CompletedProcess[str]:
    others = {k: v for k, v in os.environ.items() if not k.startswith("LOYALTY_")}
    return subprocess.run(
        [str(ROOT / "loyalty"), "drill", "disk", "--rate", str(RATE), "--seed", "3", "--json"],
        env=others | {"TMPDIR": folder},
        cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


def was_only_slow(said: str) -> bool:
    """Tell whether the drill complains of its own load and of nothing else."""
    found = json.loads(said)
    zeros = not (found["lost"] or found["duplicated"] or found["wrong"] or found["differences"])
    return zeros and all(TOO_SLOW.match(complaint) for complaint in found["complaints"])


@pytest.mark.timeout(2 * SECONDS + 100)
def test_a_full_disk_loses_nothing_and_everything_goes_on_when_there_is_room() -> None:
    """As root, or in a namespace; it fails where there is neither. Where the machine stood still
    for seconds, the drill is honest about its load, and is run once more.
    """
    for _ in range(2):
        # a short path of its own: supervisord's socket is in it
        with tempfile.TemporaryDirectory(prefix="t-") as folder:
            done = drill(folder)
            left = list(Path(folder).glob("loyalty-drill-*"))
            running = [p.pid for p in psutil.process_iter(["cmdline"])
                       if folder in " ".join(p.info["cmdline"] or [])]  # fmt: skip
        if done.returncode == 0 or not was_only_slow(done.stdout):
            break
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    counts = {name: found[name] for name in ("ok", "kills", "lost", "duplicated", "wrong")}
    assert counts == {"ok": True, "kills": 0, "lost": 0, "duplicated": 0, "wrong": 0}
    assert found["lines"] > RATE * FULL_SECONDS
    assert [row["component"] for row in found["rows"]] == list(COMPONENTS)
    assert {row["done"] for row in found["rows"]} == {f"disk full for {FULL_SECONDS} s"}
    assert (left, running) == ([], []), "its stack and its data are gone"
