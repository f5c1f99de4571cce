"""Full disks: what `status` says, and ballast that takes all the room."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import disk
from cluster.disk import NEEDS, Shortage, find_full
from cluster.findings import read_findings
from drill.waiting import insist
from pipeline.errors import LoyaltyError
from pipeline.places import Places


def test_each_folder_with_too_little_room_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for need in NEEDS:
        (tmp_path / need.folder).mkdir()

    def says(room: Callable[[str], int]) -> list[str]:
        monkeypatch.setattr(disk, "_free_mib", lambda _, folder: room(folder))
        return find_full(Places(tmp_path))

    least = {need.folder: need.least_mib for need in NEEDS}
    assert says(lambda folder: least[folder]) == []
    found = says(lambda folder: least[folder] - 1)
    assert len(found) == len(NEEDS) == 3
    assert all(str(tmp_path / n.folder) in said for n, said in zip(NEEDS, found, strict=True))
    (said,) = says(lambda folder: 0 if folder == "kafka" else 10_000)
    assert said == (
        f"The disk of Kafka ({tmp_path}/kafka) has 0 MiB left: no line gets further than the order"
        " log files. It goes on by itself when there are 40 MiB."
    )


def test_the_room_of_a_disk_is_asked_also_before_the_first_start(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    expects = [n.folder for n in NEEDS if found.f_bavail * found.f_frsize >> 20 < n.least_mib]
    assert len(find_full(Places(tmp_path / "not" / "there"))) == len(expects)


def test_who_waits_for_room_is_named_and_what_wrote_is_started_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = dict.fromkeys(("orders-log", "kafka", "hdfs"), 10_000)
    monkeypatch.setattr(disk, "_free_mib", lambda _, folder: room[folder])
    (tmp_path / "flume").mkdir()
    shortage = Shortage(Places(tmp_path))
    assert shortage.look() == (set(), set())
    room.update(dict.fromkeys(room, 0))
    assert shortage.look() == ({"kafka", "namenode"}, set())
    room["hdfs"] = 800  # hardly more than it needs
    assert shortage.look() == ({"kafka", "namenode"}, set())
    # who waits for room and is judged by nobody is named by `status`, also by the next watcher's
    assert len(find_full(Places(tmp_path))) == 2
    assert len(find_full(Places(tmp_path), shortage.short)) == 3
    assert Shortage(Places(tmp_path), shortage.short).look() == shortage.look()
    room.update(dict.fromkeys(room, 10_000))
    assert shortage.look() == (set(), {"datanode", "flume"})
    assert shortage.look() == (set(), set())


def test_a_disk_that_was_full_between_two_looks_is_told_of_at_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = {"hdfs": 10_000}
    monkeypatch.setattr(disk, "_free_mib", lambda _, folder: room.get(folder, 10_000))
    monkeypatch.setattr(disk, "GLANCE_SECONDS", 0.01)
    (tmp_path / "flume").mkdir()
    shortage = Shortage(Places(tmp_path))
    shortage.keep_an_eye()
    assert shortage.look() == (set(), set())
    room["hdfs"] = 0
    insist(lambda: demand_short(shortage), 10)
    room["hdfs"] = 10_000
    # killed before its next round: the watcher after it knows
    after = Shortage(Places(tmp_path), read_findings(Places(tmp_path)).short)
    assert after.look() == (set(), {"datanode", "flume"})
    assert shortage.look() == (set(), {"datanode", "flume"})


def demand_short(shortage: Shortage) -> None:
    if "hdfs" not in shortage.short:
        raise LoyaltyError("nobody has seen it yet")
