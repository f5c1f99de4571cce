"""Whom the watcher judges, and in which order; processes, answers and the clock are made up."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.movement import Reader
from cluster.readiness import QUESTIONS
from cluster.supervision import Process, Supervisor
from cluster.tidying import sweep_order_log
from cluster.watch import EVERY_SECONDS, LONGER_PATIENCE_SECONDS, Watch
from pipeline.places import Places
from pipeline.settings import Settings
from producer.heartbeat import demand_heartbeat, heartbeat_file

FIRST_PID = 2**31
"""No process has it."""
NAMES = (*QUESTIONS, "flume", "streaming", "producer")
NEEDS = [
    ("namenode", "datanode"),
    ("namenode", "metastore"),
    ("datanode", "hbase"),
    ("datanode", "hiveserver2"),
    ("datanode", "streaming"),
    ("metastore", "hiveserver2"),
    ("kafka", "flume"),
    ("kafka", "streaming"),
    ("hbase", "flume"),
]
"""Who is silent, and who cannot answer because of that."""


@dataclass
class Ward(Supervisor):
    """Every component has a process; those in `stopped` were stopped by a signal."""

    stopped: set[str] = field(default_factory=set)
    killed: list[str] = field(default_factory=list)
    query: Reader = field(default_factory=lambda: Reader({}, {}))
    now: float = 0

    def processes(self) -> dict[str, Process]:
        """Give one for each component."""
        return {name: Process(name, "RUNNING", self.pid(name)) for name in NAMES}

    def pid(self, name: str) -> int:
        """Give its pid."""
        return FIRST_PID + NAMES.index(name)

    def name(self, pid: int) -> str:
        """Give whose pid it is."""
        return NAMES[pid - FIRST_PID]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


@pytest.fixture
def ward(monkeypatch: pytest.MonkeyPatch) -> Ward:
    """Everyone answers who is not stopped."""
    ward = Ward()
    made_up = {
        "QUESTIONS": dict.fromkeys(QUESTIONS, lambda _: None),
        "ask_thrift": lambda _: None, "ask_hbase": lambda _: None,
        "ask_regionserver": lambda _: None, "flume_state": lambda *_: {},
        "demand_heartbeat": lambda _: None,
        "stream_state": lambda _: {"the query": ward.query},
        "is_stopped": lambda pid: ward.name(pid) in ward.stopped,
        "kill": lambda pid: ward.killed.append(ward.name(pid)),
        "time": SimpleNamespace(monotonic=lambda: ward.now), "load": lambda: 0,
    }  # fmt: skip
    for name, value in made_up.items():
        monkeypatch.setattr(f"cluster.watch.{name}", value)
    monkeypatch.setattr("cluster.disk._free_mib", lambda *_: 10**6)
    return ward


@pytest.mark.parametrize(("need", "sufferer"), NEEDS)
def test_who_only_suffers_is_not_judged_before_what_is_broken_answers(
    settings: Settings, ward: Ward, need: str, sufferer: str
) -> None:
    watch = Watch(settings, ward)
    ward.stopped = {need, sufferer}
    for _ in range(4):
        watch.look()
    assert need in ward.killed
    assert sufferer not in ward.killed
    ward.stopped = {sufferer}
    for _ in range(2):
        watch.look()
    assert sufferer in ward.killed


def test_where_nobody_answers_only_those_who_need_nobody_are_killed(
    settings: Settings, ward: Ward
) -> None:
    watch = Watch(settings, ward)
    ward.stopped = set(NAMES)
    for _ in range(2):
        watch.look()
    assert set(ward.killed) == {"kafka", "namenode", "thrift", "refresh", "producer"}


def test_thrift_goes_with_hbase_and_its_end_says_so(settings: Settings, ward: Ward) -> None:
    watch = Watch(settings, ward)
    ward.stopped = {"hbase"}
    for _ in range(2):
        watch.look()
    assert ward.killed == ["hbase", "thrift"]
    assert watch.killed == {"hbase": "", "thrift": "was killed by the watcher with hbase"}


def test_who_is_killed_in_vain_is_killed_ever_later(settings: Settings, ward: Ward) -> None:
    watch = Watch(settings, ward)
    ward.stopped = {"kafka"}
    rounds: list[int] = []
    for number in range(1, 15):
        watch.look()
        if len(ward.killed) > len(rounds):
            rounds.append(number)
    assert rounds == [2, 2 + 4, 2 + 4 + 8]


def test_a_driver_that_lives_on_with_an_ended_query_is_killed_when_lines_come(
    settings: Settings, ward: Ward
) -> None:
    watch = Watch(settings, ward)
    ward.query = Reader({0: 5}, {0: 5})
    watch.look()
    patience = LONGER_PATIENCE_SECONDS["streaming"] + 3 * settings.trigger_seconds
    begun = ward.now
    for lines in range(1, 100):
        ward.now += 5
        ward.query = Reader({0: 5}, {0: 5 + lines})
        found = watch.look()["streaming"]
        if ward.killed:
            break
    assert ward.killed == ["streaming"]
    assert found["killed"] == "the query is behind and does not move"
    # the first line that waits is no sign yet, the second is
    assert patience <= ward.now - begun <= patience + 3 * 5


def test_a_producer_without_a_sign_of_life_is_killed(
    settings: Settings, ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.watch.demand_heartbeat", demand_heartbeat)
    file = heartbeat_file(Places(settings.data))
    file.parent.mkdir(parents=True)
    file.touch()
    watch = Watch(settings, ward)
    for _ in range(4):
        watch.look()
    assert ward.killed == []
    a_minute_ago = file.stat().st_mtime - 60
    os.utime(file, (a_minute_ago, a_minute_ago))
    for _ in range(4):
        watch.look()
        ward.now += EVERY_SECONDS
    assert ward.killed[:1] == ["producer"]


def test_what_may_not_be_swept_stays_and_the_watcher_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object) -> list[Path]:
        raise PermissionError(13, "Permission denied", "orders-x.log")

    monkeypatch.setattr("cluster.tidying.sweep", refused)
    sweep_order_log(settings)
    assert "stay for now: [Errno 13] Permission denied: 'orders-x.log'" in capfd.readouterr().err
