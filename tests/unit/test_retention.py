"""What is kept for how long: shown for every store, and what is over goes."""

import os
import shutil
import socket
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from batch.rebuild import demand_whole
from cluster.configuration import render
from cluster.leftovers import is_in_order, old_files, remove, remove_leftovers
from cluster.retention import below, describe_retention, on_disk
from cluster.rounds import keep_watch
from cluster.sampling import Sampler
from cluster.supervision import Supervisor
from cluster.tidying import sweep_order_log
from cluster.watch import Watch
from drill.stack import free_ports
from hive.session import Session
from pipeline.cli import app
from pipeline.errors import Refused, Unavailable, UsageError
from pipeline.places import Places
from pipeline.settings import Settings, read_settings
from pipeline.verify.scope import Scope
from pipeline.webhdfs import Hdfs
from streaming.progress import Progress
from streaming.staging import Counts, Gap

NOW = 1_800_000_000


def test_every_retention_is_shown_also_while_nothing_runs(tmp_path: Path) -> None:
    (nobody,) = free_ports(1)
    settings = Settings(data=tmp_path, raw_retention_days=400, namenode_http_port=nobody)
    stores = describe_retention(settings)
    named = {s.setting for s in stores} - {None}
    fields = {
        f"LOYALTY_{name.upper()}"
        for name in Settings.model_fields
        if name.endswith(("_retention_days", "_minutes", "_hours"))
        and name not in {"log_roll_minutes", "partition_hours"}
    }
    assert fields | {"LOYALTY_SERVER_LOG_MIB/FILES"} == named
    kept = {store.store: store.kept for store in stores}
    assert kept["HDFS raw"] == "400 days"
    assert kept["quarantine"] == "for ever"
    assert {s.used for s in stores if s.store in {"HDFS raw", "quarantine"}} == {None}


def test_a_folder_that_goes_while_it_is_looked_at_is_left_out(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("12")
    found = below(tmp_path)
    first = next(found)
    (gone,) = {"one", "two"} - {first.parent.name}
    shutil.rmtree(tmp_path / gone)
    assert list(found) == []


def test_of_a_silent_hdfs_all_stores_wait_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.retention.PATIENCE_SECONDS", 1)
    (tmp_path / "kafka").mkdir()  # of our own Kafka something is known
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        told: list[tuple[int, int | None]] = []
        begun = time.monotonic()
        stores = describe_retention(
            Settings(data=tmp_path, namenode_http_port=port), lambda *done: told.append(done)
        )
        assert time.monotonic() - begun < 4, "nine stores of HDFS"
    assert sum(store.used is None for store in stores) == 9
    assert told[-1] == (len(stores), len(stores))


def test_files_are_added_up_with_the_oldest(tmp_path: Path) -> None:
    assert on_disk([tmp_path / "gone", tmp_path]) == (0, None)
    for name, size, at in (("a", 3, NOW), ("b", 4, NOW - 86_400)):
        (tmp_path / name).write_bytes(b"x" * size)
        os.utime(tmp_path / name, (at, at))
    assert on_disk(tmp_path.iterdir()) == (7, date(2027, 1, 14))


def test_raw_outlives_the_topic_or_is_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().raw_retention_days == 0
    monkeypatch.setenv("LOYALTY_RAW_RETENTION_DAYS", "90")
    with pytest.raises(UsageError, match=r"RAW_RETENTION_DAYS \(90\) has to be 0, for ever, or"):
        read_settings()
    monkeypatch.setenv("LOYALTY_RAW_RETENTION_DAYS", "91")
    assert read_settings().raw_retention_days == 91


def test_the_servers_are_told(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, generation_minutes=30, hbase_old_minutes=7)
    render(settings, Places(tmp_path), "UTC", {"spark": Path("x")})
    hive = (tmp_path / "conf/hive/hive-site.xml").read_text()
    assert "<name>hive.query.timeout.seconds</name><value>1200s</value>" in hive
    hbase = (tmp_path / "conf/hbase/hbase-site.xml").read_text()
    for cleaner in ("logcleaner", "hfilecleaner"):
        assert f"<name>hbase.master.{cleaner}.ttl</name><value>420000</value>" in hbase
    spark = (tmp_path / "conf/spark/spark-defaults.conf").read_text()
    assert f"spark.local.dir                           {Places(tmp_path).temporary}\n" in spark


def test_raw_files_end_by_time_alone(tmp_path: Path) -> None:
    """Where one ends by its size, Flume may forget what it has not flushed: see flume.conf."""
    render(Settings(data=tmp_path), Places(tmp_path), "UTC", {"spark": Path("x")})
    lines = (tmp_path / "conf/flume/flume.conf").read_text().splitlines()
    rolls = {line for line in lines if ".hdfs.hdfs.roll" in line}
    sink = "loyalty.sinks.hdfs.hdfs"
    assert rolls == {
        f"{sink}.rollInterval = 3600", f"{sink}.rollSize = 0", f"{sink}.rollCount = 0"
    }  # fmt: skip


def test_sql_waits_for_a_query_as_long_as_hive_lets_it_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def connect(_host: str, _port: int, timeout: float) -> Session:
        asked.append(timeout)
        raise Unavailable("Nobody is there; wait.")

    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path))
    monkeypatch.setenv("LOYALTY_GENERATION_MINUTES", "300")
    monkeypatch.setattr("hive.session.connect", connect)
    assert CliRunner().invoke(app, ["sql", "select 1"]).exit_code == 1
    assert asked == [290 * 60 + 60]


def test_a_folder_in_which_something_changes_is_not_old(tmp_path: Path) -> None:
    old, alive, file = tmp_path / "old", tmp_path / "alive", tmp_path / "x.pipeout"
    for folder in (old, alive):
        folder.mkdir()
        (folder / "inner").touch()
    file.touch()
    for path in (old / "inner", old, alive, file):
        os.utime(path, (NOW - 10, NOW - 10))
    os.utime(alive / "inner", (NOW, NOW))
    assert old_files(tmp_path, NOW - 5) == [old, file]
    assert old_files(tmp_path / "none", NOW) == []
    for path in (old, file):
        remove(path)
    assert list(tmp_path.iterdir()) == [alive]


def test_raw_is_needed_while_there_is_a_gap_or_the_stream_has_not_read_what_came_before() -> None:
    ends, read = {0: 10, 1: 5}, {0: 10, 1: 5}
    progress = Progress(0, NOW, 1, 1, "t", read, Counts(), (), appended={0: NOW * 1000})
    assert is_in_order(progress, "t", ends, NOW)
    assert not is_in_order(None, "t", ends, NOW)
    assert not is_in_order(progress, "new", ends, NOW)
    assert not is_in_order(replace(progress, gaps=(Gap("t", 0, 5, None),)), "t", ends, NOW)
    # whoever is started again and again has a fresh sign of work, and reads nothing
    assert not is_in_order(progress, "t", ends | {1: 6}, NOW)
    assert not is_in_order(progress, "t", ends | {2: 1}, NOW)
    # the next line to read came later than what is to be deleted
    assert is_in_order(progress, "t", ends | {0: 11}, NOW)
    assert not is_in_order(progress, "t", ends | {0: 11}, NOW + 1)


def test_a_rebuild_keeps_to_what_raw_still_has_whole() -> None:
    """Otherwise a repair would take away every row whose line raw was told to forget."""
    whole = date(2026, 11, 2)
    demand_whole(None, Scope())
    demand_whole(whole, Scope(first=whole))
    for scope in (Scope(), Scope(first=date(2026, 11, 1)), Scope(last=whole)):
        with pytest.raises(Refused, match="call it with --from 2026-11-02"):
            demand_whole(whole, scope)


def test_each_retention_is_that_of_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(
        data=tmp_path, log_retention_days=17, raw_retention_days=123, hive_scratch_hours=7
    )
    found: dict[str, object] = {}

    def swept(_log: Path, _positions: Path, days: int, _now: int) -> list[Path]:
        found["log"] = days
        return []

    def forgotten(_hdfs: object, first: date) -> list[str]:
        found["raw"] = first
        return ["/orders/raw/dt=1999-12-31"]

    def old(_hdfs: object, oldest: float, _root: str) -> list[str]:
        found["scratch"] = oldest
        return []

    monkeypatch.setattr("cluster.tidying.sweep", swept)
    monkeypatch.setattr("cluster.leftovers.forget_raw", forgotten)
    monkeypatch.setattr("cluster.leftovers.old_sessions", old)
    monkeypatch.setattr("cluster.leftovers.has_read", lambda *_: True)
    sweep_order_log(settings)
    hdfs = Hdfs("127.0.0.1:1", user="root")
    (said,) = remove_leftovers(settings, hdfs, NOW, date(2027, 1, 15))
    assert said.startswith("/orders/raw/dt=1999-12-31 is deleted")
    assert found == {
        "log": 17, "raw": date(2027, 1, 15) - timedelta(days=123), "scratch": NOW - 7 * 3600,
    }  # fmt: skip


def test_the_watcher_looks_for_what_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def tidied(_settings: Settings) -> None:
        done.append("tidy")
        raise InterruptedError  # one round is enough

    settings = Settings(data=tmp_path)
    watch = Watch(settings, Supervisor(Places(tmp_path)), [], {})
    monkeypatch.setattr("cluster.rounds.sweep_order_log", lambda _settings: done.append("sweep"))
    monkeypatch.setattr("cluster.rounds.tidy", tidied)
    with pytest.raises(InterruptedError):
        keep_watch(settings, watch, Sampler(settings))
    assert done == ["sweep", "tidy"]
