"""`./loyalty drill` as a user runs it: a stack of its own, one JSON object, nothing left behind."""

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import psutil

from pipeline.settings import ROOT

TOO_SLOW = re.compile(r"the till wrote [0-9]+ lines/s")


def drill(folder: str) -> subprocess.CompletedProcess[str]:
    """The control whose broken lines stay: without the comparison every line comes twice."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("LOYALTY_")}
    return subprocess.run(
        [str(ROOT / "loyalty"), "drill", "controls", "--only", "comparison", "--rate", "100",
         "--seed", "3", "--json"],
        env=others | {"TMPDIR": folder},
        cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip


def test_a_drill_breaks_a_stack_of_its_own_and_removes_it() -> None:
    """Where the machine stood still for seconds, the drill is honest about its load, and is run
    once more.
    """
    for _ in range(2):
        # a short path of its own: supervisord's socket is in it
        with tempfile.TemporaryDirectory(prefix="t-") as folder:
            done = drill(folder)
            left = list(Path(folder).glob("loyalty-drill-*"))
            running = [p.pid for p in psutil.process_iter(["cmdline"])
                       if folder in " ".join(p.info["cmdline"] or [])]  # fmt: skip
        if done.returncode == 0 or not TOO_SLOW.search(done.stdout):
            break
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    counts = {name: found[name] for name in ("ok", "kills", "lost", "duplicated", "wrong")}
    assert counts == {"ok": True, "kills": 0, "lost": 0, "duplicated": 0, "wrong": 0}
    (row,) = found["rows"]
    assert row["component"] == "streaming"
    assert re.search(r"without comparison: .*[1-9][0-9,]* duplicated", row["done"]), row
    assert row["lines"] > 0
    assert (left, running) == ([], []), "its stack and its data are gone"
