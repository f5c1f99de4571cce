"""Points and lacks without a stack: who dies when, and what the snapshots have to be."""

import hashlib
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest

from batch import process
from cluster.jars import DRILL, MODULES, jar_folders
from drill import agent
from drill.controls import CONTROLS
from drill.doomed import Doomed, NotReached
from drill.lack import LACKS
from drill.members import spend
from drill.point import POINTS, Point, arm, arm_job, find, waits_beside
from drill.points import COMPONENTS, FLUME, LOAD, names
from drill.stack import describe
from pipeline.errors import LoyaltyError
from pipeline.settings import ROOT
from tests.waiting import wait_until


class Died(Exception):
    """Instead of the process."""


def die() -> None:
    raise Died


def test_every_point_is_somebodys() -> None:
    assert set(COMPONENTS) == set(POINTS) | set(agent.NAMES)
    assert set(FLUME) == set(agent.NAMES)
    for point in POINTS.values():
        find(point.target)
        for constant in point.settings:
            find(constant)
    for target, _ in LACKS.values():
        find(target)
    assert set(LACKS) < set(CONTROLS)


def test_every_point_so_often_in_a_seeded_order() -> None:
    dealt = names(None, 5, seed=3)
    assert all(dealt.count(name) == 5 for name in COMPONENTS)
    assert dealt == names(None, 5, seed=3)
    assert dealt != names(None, 5, seed=4)
    assert sorted(set(names("customers", 2, seed=1))) == sorted(LOAD)
    assert names("put", 2, seed=1) == ["put", "put"]


@pytest.mark.parametrize("name", agent.NAMES)
def test_a_rule_marks_then_ends_the_jvm(name: str) -> None:
    text = (agent.RULES / f"{name}.btm").read_text()
    assert 0 < text.index('openTrace("mark", "@MARK@")') < text.index("killJVM()")


def test_a_drill_alone_needs_byteman() -> None:
    assert not set(DRILL) & set(MODULES)
    assert list(jar_folders(DRILL)) == ["drill"]


@pytest.mark.parametrize(("moment", "has_renamed"), [("before", False), ("after", True)])
def test_it_dies_before_or_after_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, has_renamed: bool
) -> None:
    monkeypatch.setattr(os, "rename", os.rename)  # is put back at the end
    (tmp_path / "a").touch()
    arm(Point(moment, "os:rename", lambda _old, new: new.endswith("b")), die)  # type: ignore[arg-type]
    os.rename(tmp_path / "a", str(tmp_path / "c"))  # noqa: PTH104  # another call goes on
    with pytest.raises(Died):
        os.rename(tmp_path / "c", str(tmp_path / "b"))  # noqa: PTH104
    assert (tmp_path / "b").exists() == has_renamed


def test_between_moves_another_file_has_to_wait() -> None:
    staged = "/staging/0001-000000007/0000.parquet"
    assert waits_beside(staged, ["0000.parquet", "0001.parquet", "record.json"])
    assert not waits_beside(staged, ["0000.parquet", "record.json"]), "after it all are moved"


def test_the_job_that_a_command_starts_is_the_one_that_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here at a point that there is not, of which the job's log tells."""
    monkeypatch.setattr(process, "subprocess", subprocess)  # is put back at the end
    stack = describe(tmp_path)
    arm_job("nowhere", str(tmp_path / "mark"))
    with pytest.raises(LoyaltyError, match="ended without a result"):
        process.run_job(stack.settings, stack.places, ["customers"], "Again.")
    assert "KeyError: 'nowhere'" in (stack.places.logs / "batch.log").read_text()


def doomed(tmp_path: Path, code: str) -> Doomed:
    command = [sys.executable, "-c", code]
    started = subprocess.Popen(command, cwd=ROOT)
    return Doomed("somewhere", tmp_path / "mark", started, tmp_path / "log")


def test_a_death_is_proved_by_its_mark(tmp_path: Path) -> None:
    code = (
        f"from pathlib import Path; from drill.point import leave; leave(Path('{tmp_path}/mark'))"
    )
    victim = doomed(tmp_path, code)
    assert victim.await_death() == victim.process.pid
    assert victim.process.returncode == -signal.SIGKILL


def test_an_end_elsewhere_is_no_death_at_the_point(tmp_path: Path) -> None:
    with pytest.raises(NotReached, match="somewhere was not reached: its process ended with 0"):
        doomed(tmp_path, "pass").await_death()


def test_a_moment_that_does_not_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drill.doomed.REACH_SECONDS", 0.2)
    victim = doomed(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(NotReached, match="was not reached in"), victim:
        victim.await_death()
    assert victim.process.returncode == -signal.SIGKILL


def test_nothing_of_a_doomed_process_outlives_a_drill_that_is_ended(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; from pathlib import Path;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"Path('{tmp_path}/new').write_text(str(child.pid));"
        f"Path('{tmp_path}/new').rename('{tmp_path}/child'); child.wait()"
    )
    with suppress(SystemExit), doomed(tmp_path, code) as victim:
        wait_until("it has a child", (tmp_path / "child").exists, seconds=10)
        child = psutil.Process(int((tmp_path / "child").read_text()))
        sys.exit()
    assert victim.process.returncode == -signal.SIGKILL
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running()


def test_the_spend_of_a_past(tmp_path: Path) -> None:
    """An identity counts once, with its first line; refunds are subtracted; later dates are not."""
    noon = 1_554_120_000_000  # 2019-04-01 12:00 UTC
    lines = {
        f"7|{noon}|A-1|1|SALE|3|tea|1|4.50|": "",
        f"7|{noon}|A-2|1|REFUND|3|tea|1|1.25|A-1": "late-days",
        f"7|{noon}|A-1|1|SALE|3|tea|1|4.51|": "conflict",
        f"7|{noon}|A-3-bad|1|SALE|3|tea|1|x|": "malformed:AMOUNT",
        f"8|{noon + 86_400_000}|A-4|1|SALE|3|tea|1|2.00|": "",
        f"|{noon}|A-5|1|SALE|3|tea|1|2.00|": "",
    }
    (tmp_path / "a.log").write_text("\n".join([*lines, next(iter(lines)), "7|1|no|key|", ""]))
    rows = [
        f"x\t{hashlib.md5(line.encode(), usedforsecurity=False).hexdigest()}\tx\t{fault}\n"
        for line, fault in lines.items()
    ]
    (tmp_path / "key").write_text("".join(["header\n", *rows]))
    spent = spend(tmp_path, tmp_path / "key", date(2019, 4, 1), ZoneInfo("America/New_York"))
    assert dict(spent) == {7: 325}
