"""What a drill does and what it concludes, without a stack."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from drill.answers import JVM
from drill.course import DRILLS, Drill, hint, run
from drill.kills import COMPONENTS, NAMES, Blow, Victim, blows, deal
from drill.kills import _outlive as outlive
from drill.kills import _was_ended as was_ended
from drill.load import FAULTS, Till, lines_per_order
from drill.plan import Plan, Told
from drill.stack import OwnStack, describe, write_launcher
from drill.verdict import Count, Outcome, Row
from pipeline.errors import LoyaltyError
from pipeline.programme import read_programme
from pipeline.settings import ROOT
from pipeline.signals import ends_once
from producer.faults import Planter, parse_faults
from producer.orders import Till as Orders
from producer.pool import demo_members

ROW = Row("kafka", "SIGKILL", 12, 13, 7.5, 3000)


def test_everyone_is_killed_so_often() -> None:
    """And a pair each time; two are stopped once; the same seed gives the same blows."""
    dealt = list(blows(None, 3, seed=5))
    killed = [blow for blow in dealt if blow.number == signal.SIGKILL]
    assert Counter(blow.names[0] for blow in killed if len(blow.names) == 1) == dict.fromkeys(
        NAMES, 3
    )
    pairs = [blow.names for blow in killed if len(blow.names) == 2]
    assert len(pairs) == 3
    assert all(first != second for first, second in pairs)
    stopped = [blow for blow in dealt if blow.number == signal.SIGSTOP]
    assert [(len(blow.names), blow.seconds) for blow in stopped] == [(1, 60), (1, 60)]
    assert list(blows(None, 3, seed=5)) == dealt
    assert list(blows(None, 3, seed=6)) != dealt


def test_only_one_component() -> None:
    assert list(blows("kafka", 2, seed=1)) == [Blow(("kafka",))] * 2
    assert [blow.names for blow in blows("streaming", 2, seed=1)] == [
        ("streaming",), ("streaming-jvm",), ("streaming",), ("streaming-jvm",)
    ]  # fmt: skip


def test_all_components_can_be_named() -> None:
    assert set(COMPONENTS) == set(NAMES) - {"streaming-jvm"}


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome([ROW], Count(10, lost=1)),
        Outcome([ROW], Count(10, duplicated=1)),
        Outcome([ROW], Count(10, wrong=1)),
        Outcome([ROW], Count(10, differences=["HBase: line …"])),
        Outcome([ROW], Count(10), ["kafka was not hit"]),
    ],
)
def test_anything_but_zeros_is_not_ok(outcome: Outcome) -> None:
    good = Outcome([ROW], Count(10))
    assert good.ok
    assert not outcome.ok
    assert not (good + outcome).ok


def test_the_json_object() -> None:
    stopped = Row("hbase", "SIGSTOP", 0, 9, 60, 100)
    document = (Outcome([ROW], Count(10), rate=500) + Outcome([stopped], Count(5))).to_json()
    assert document["rows"][0] == {
        "component": "kafka", "done": "SIGKILL", "killed": 12, "answers": 13, "seconds": 7.5,
        "lines": 3000,
    }  # fmt: skip
    assert {name: document[name] for name in ("ok", "kills", "lines", "lines_per_second")} == {
        "ok": True, "kills": 1, "lines": 15, "lines_per_second": 500.0
    }  # fmt: skip
    assert [document[name] for name in ("lost", "duplicated", "wrong")] == [0, 0, 0]


@pytest.mark.parametrize("faults", ["", FAULTS])
def test_lines_of_an_order(faults: str) -> None:
    """Measured over 20,000 orders, it is what the till's rate is made from."""
    members, menu = demo_members(seed=1), read_programme(ROOT / "programme.toml").menu
    shares = parse_faults(faults) if faults else {}
    planter = Planter(Orders(members, menu, "run-1", "1"), shares, "1")
    lines = sum(len(planter.receipt(1_795_544_902_930 + n)) for n in range(20_000))
    lines += len(planter.rest())
    assert lines / 20_000 == pytest.approx(lines_per_order(faults), rel=0.03)


def test_a_till_counts_whole_rows(tmp_path: Path) -> None:
    """Half a row is taken back by the next run, and its bytes are others then."""
    till = Till(describe(tmp_path), 500, 1)
    assert till.written() == 0
    till.key.write_bytes(b"header\nrow\nhalf a r")
    assert till.written() == 1
    till.key.write_bytes(b"header\nrow\nrow\nrow\n")
    assert till.written() == 3


def _child(code: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_process_that_lives_was_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drill.kills._GONE_SECONDS", 0.3)
    with _child("import time; print(flush=True); time.sleep(60)") as process:
        victim = Victim("kafka", psutil.Process(process.pid), ())
        with pytest.raises(LoyaltyError, match="kafka was not killed"):
            was_ended(victim, Blow(("kafka",)))
        os.kill(process.pid, signal.SIGSTOP)
        assert not was_ended(victim, Blow(("kafka",), signal.SIGSTOP, 0.2))
        assert victim.process.status() != psutil.STATUS_STOPPED
        process.kill()
        assert was_ended(victim, Blow(("kafka",)))


@pytest.mark.parametrize("name", ["hbase", "flume", "streaming", JVM])
def test_whoever_was_stopped_has_to_be_started_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watcher ends stages and their children as well."""
    stack = describe(tmp_path)
    with _child("import time; print(flush=True); time.sleep(60)") as process:
        victim = Victim(name, psutil.Process(process.pid), ())
        monkeypatch.setattr("drill.kills._find", lambda *_: victim)
        monkeypatch.setattr("drill.kills.await_answer", lambda *_: process.pid)
        monkeypatch.setattr("drill.kills.CALM_SECONDS", 0)
        blow = Blow((name,), signal.SIGSTOP, 0.2)
        _, complaints = deal(stack, Till(stack, 1, 1), [blow], lambda _: None)
        process.kill()
    assert complaints == [f"{name} was stopped for 0 s and not started again"]


def test_children_that_outlive_their_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drill.kills._GONE_SECONDS", 0.3)
    with _child("import time; print(flush=True); time.sleep(60)") as child:
        victim = Victim("streaming", psutil.Process(), (psutil.Process(child.pid),))
        (complaint,) = outlive(victim)
        assert f"process {child.pid} outlived" in complaint
        child.kill()
        assert outlive(victim) == []


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)]
)
def test_a_second_signal_does_not_stop_the_end(
    number: signal.Signals, error: type[BaseException]
) -> None:
    ended = False
    before = signal.getsignal(number)

    def body() -> None:
        nonlocal ended
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)
            ended = True

    with pytest.raises(error), ends_once():
        body()
    assert ended
    assert signal.getsignal(number) is before


def test_the_launcher_means_its_stack(tmp_path: Path) -> None:
    stack = describe(tmp_path)
    (tmp_path / "orders-log").mkdir()
    launcher = write_launcher(stack)
    subprocess.run([launcher, "produce", "--count", "1"], capture_output=True, check=True)
    assert list(stack.places.order_log.glob("orders*.log"))
    assert f"LOYALTY_KAFKA_PORT={stack.settings.kafka_port}\n" in launcher.read_text()


class _Course:
    """A drill that ends as it is told to, on no stack; is_kept is asked at its end."""

    def __init__(self, folder: Path, end: Outcome | BaseException) -> None:
        self._folder = folder
        self._end = end
        self.kept = False

    @contextmanager
    def stack(self, is_kept: Callable[[Path], bool]) -> Iterator[OwnStack]:
        try:
            yield describe(self._folder)
        finally:
            self.kept = is_kept(self._folder)

    def run(self, _stack: OwnStack, _plan: Plan, _told: Told) -> Outcome:
        if isinstance(self._end, Outcome):
            return self._end
        raise self._end


@pytest.mark.parametrize(
    ("end", "kept"),
    [
        (Outcome([ROW], Count(10)), False),
        (Outcome([ROW], Count(10, lost=1)), True),
        (LoyaltyError("no till"), True),
        (ValueError("a bug"), True),
        (KeyboardInterrupt(), False),
    ],
)
def test_data_stays_unless_all_was_well(
    end: Outcome | BaseException, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the drill broke off; somebody who ends it gets rid of it."""
    course = _Course(tmp_path, end)
    monkeypatch.setitem(DRILLS, "kills", Drill(course.run, (), course.stack))
    with suppress(BaseException):
        run("kills", Plan(None, None, 500, 1), lambda _: None)
    assert course.kept is kept


def test_a_drill_that_breaks_off_leaves_the_others_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And tells the folder that is kept, also where its stack has not started."""
    done, broken = tmp_path / "done", tmp_path / "broken"
    done.mkdir()
    broken.mkdir()
    course = _Course(done, Outcome([ROW], Count(10)))
    monkeypatch.setitem(DRILLS, "kills", Drill(course.run, (), course.stack))

    @contextmanager
    def not_started(is_kept: Callable[[Path], bool]) -> Iterator[OwnStack]:
        try:
            if broken.exists():
                raise LoyaltyError("no port is free")
            yield describe(broken)
        finally:
            is_kept(broken)

    monkeypatch.setitem(DRILLS, "points", Drill(course.run, (), not_started))
    told: list[str] = []
    outcome = run("all", Plan(None, None, 500, 1), told.append)
    assert (outcome.rows, outcome.complaints) == ([ROW], ["points: no port is free"])
    assert not outcome.ok
    assert f"points: {hint(broken)}" in told


def test_a_bug_tells_the_folder_that_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = _Course(tmp_path, ValueError("a bug"))
    monkeypatch.setitem(DRILLS, "kills", Drill(course.run, (), course.stack))
    told: list[str] = []
    with pytest.raises(ValueError, match="a bug"):
        run("kills", Plan(None, None, 500, 1), told.append)
    assert str(tmp_path) in told[-1]


def test_the_hint_names_the_keys_that_there_are(tmp_path: Path) -> None:
    assert "did not start" in hint(tmp_path)
    write_launcher(describe(tmp_path))
    assert "--answer-key" not in hint(tmp_path)
    for name in ("answer-key-2.tsv", "history-1.tsv"):
        (tmp_path / name).touch()
    assert f"a KEY of {tmp_path}/answer-key-2.tsv, {tmp_path}/history-1.tsv;" in hint(tmp_path)
