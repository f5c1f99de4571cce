"""`./loyalty drill` as a user runs it: a stack of its own, one JSON object, nothing left behind."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from pipeline.settings import ROOT


def test_a_drill_breaks_a_stack_of_its_own_and_removes_it() -> None:
    # a short path of its own: supervisord's socket is in it
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        others = {k: v for k, v in os.environ.items() if not k.startswith("LOYALTY_")}
        done = subprocess.run(
            [str(ROOT / "loyalty"), "drill", "kills", "--only", "thrift", "--rate", "50",
             "--seed", "3", "--json"],
            env=others | {"TMPDIR": folder},
            cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
        )  # fmt: skip
        left = list(Path(folder).glob("loyalty-drill-*"))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    counts = {name: found[name] for name in ("ok", "kills", "lost", "duplicated", "wrong")}
    assert counts == {"ok": True, "kills": 1, "lost": 0, "duplicated": 0, "wrong": 0}
    (row,) = found["rows"]
    assert row["component"] == "thrift"
    assert row["killed"] != row["answers"] > 0
    assert not Path(f"/proc/{row['answers']}").exists(), "its stack is down"
    assert left == []
