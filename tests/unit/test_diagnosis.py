"""What `doctor` finds in documents of a stack, and on the machine without one."""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from typer.testing import CliRunner

from cluster.diagnosis import Check, diagnose
from cluster.doctor import examine
from pipeline.cli import app
from pipeline.commands.doctor import draw
from tests.unit.status_document import document, with_component, with_hop

ROOM = 100 << 30


def wrong(found: dict[str, Any], room: int = ROOM) -> list[Check]:
    """Give what is not well."""
    return [check for check in diagnose(found, room) if check.ok is False]


def test_a_healthy_stack_has_nothing() -> None:
    checks = diagnose(document(), ROOM)
    assert [check for check in checks if not check.ok] == []
    assert {"Kafka broker", "lag", "disk's growth", "gaps", "quarantine", "refresh"} <= {
        check.subject for check in checks
    }
    assert not any(check.fix for check in checks)


def test_a_stopped_stack_is_one_row_and_no_fault() -> None:
    found = document(healthy=False)
    for component in found["components"]:
        component["state"] = "down"
    checks = diagnose(found, ROOM)
    assert [check.subject for check in checks if check.ok is None] == ["stack"]
    assert not [check for check in checks if check.ok is False]
    assert "`./loyalty up`" in checks[0].saw


def test_a_refresh_that_was_stopped_is_no_fault() -> None:
    found = document(refresh=document()["refresh"] | {"outcome": "stopped", "error": "Stopped."})
    (check,) = (one for one in diagnose(found, ROOM) if one.subject == "refresh")
    assert check.ok
    assert check.saw.endswith(", stopped")


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    (with_component("kafka", state="down"), "Kafka broker", "`./loyalty up`"),
    (with_component("kafka", state="silent", error="nothing within 5 s"), "Kafka broker",
     "`./loyalty logs kafka`"),
    (with_component("flume", state="stuck", reason="its process is stopped by a signal"),
     "Flume agent", "`kill -CONT`"),
    (with_component("hbase", state="starting", restarts=9), "HBase", "`./loyalty logs hbase`"),
    (document(watcher="The watcher has not looked for 70 s; `./loyalty down`, then …"),
     "supervisor", "`./loyalty down`"),
    (document(full_disks=["The disk of Kafka has 3 MiB left: none moves. It goes on by itself."]),
     "disk", "make room: It goes on by itself"),
    (document(gaps=["Partition 0 of topic x was not read."]), "gaps",
     "`./loyalty rebuild --repair`"),
    (with_hop("transactions_cln", lag=9000, growing=120), "lag of transactions_cln",
     "`./loyalty logs streaming`"),
    (with_hop("hbase", lag=9000, growing=120), "lag of HBase", "`./loyalty logs flume`"),
    (document(quarantine={"lines": 400, "quarantined": 22, "reasons": {"ITEM": 20, "FIELDS": 2}}),
     "quarantine", "`./loyalty quarantine replay --reason ITEM`"),
    (document(refresh=document()["refresh"] | {"outcome": "failed", "error": "HDFS is away."}),
     "refresh", "`./loyalty refresh`"),
    (document(refresh=document()["refresh"] | {"fruitless": 3}),
     "refresh", "`./loyalty logs refresh` shows why"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "subject", "fix"), FAULTS)
def test_each_fault_is_one_row_with_a_fix(found: dict[str, Any], subject: str, fix: str) -> None:
    (check,) = wrong(found)
    assert check.subject == subject
    assert fix in check.fix


@pytest.mark.parametrize("bad", [0, 5])
def test_a_few_bad_lines_are_none(bad: int) -> None:
    day = {"lines": 100, "quarantined": bad, "reasons": {"ITEM": bad}}
    assert wrong(document(quarantine=day)) == []
    few = {"lines": 4, "quarantined": 4, "reasons": {"ITEM": 4}}
    assert wrong(document(quarantine=few)) == []


def test_a_disk_that_will_soon_be_full_is_named() -> None:
    daily = sum(one["bytes_per_day"] for one in document()["disk"])
    assert wrong(document(), 8 * daily) == []
    (check,) = wrong(document(), 6 * daily)
    assert "full in 6.0 days" in check.saw


def test_who_is_not_wanted_is_not_missed() -> None:
    assert wrong(with_component("producer", state="down", wanted=False)) == []


def lines(checks: list[Check], width: int | None) -> list[str]:
    return [line.plain if isinstance(line, Text) else line for line in draw(checks, width)]


def test_a_fault_is_folded_on_a_terminal_and_one_line_in_a_pipe() -> None:
    check = Check("quarantine", False, "22 of 400 lines of the last 24 hours, most of them ITEM",
                  "`./loyalty quarantine` shows samples; put the till right, or the rules"
    )  # fmt: skip
    assert lines([check, Check("disk", True, "9 MiB free")], 60) == [
        "wrong  quarantine  22 of 400 lines of the last 24 hours,",
        "                   most of them ITEM",
        "                   fix: `./loyalty quarantine` shows",
        "                   samples; put the till right, or the rules",
        "ok     disk        9 MiB free",
    ]
    assert lines([check], None)[0].endswith(check.saw)
    assert lines([check], None)[1].endswith(check.fix)
    assert len(lines([replace(check, fix="")], None)) == 1


@pytest.fixture
def no_jars(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine on which nothing was fetched: there is nothing to read."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def examined() -> dict[str, Check]:
    return {check.subject: check for check in examine()}


def test_before_the_first_up_the_machine_is_looked_at(no_jars: Path) -> None:
    found = examined()
    for name in ("settings", "programme", "data folder", "disk", "JDK", "order log"):
        assert found[name].ok, name
    assert found["stack"].ok is None
    assert not no_jars.exists(), "it makes nothing"


def test_before_the_first_up_given_servers_are_asked_as_up_asks_them(
    no_jars: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.doctor.ASK_SECONDS", 0)
    with socket.socket() as held:  # bound, but nobody listens there
        held.bind(("127.0.0.1", 0))
        at = f"127.0.0.1:{held.getsockname()[1]}"
        monkeypatch.setenv("LOYALTY_HDFS", at)
        monkeypatch.setenv("LOYALTY_WEBHDFS", at)
        found = examined()
    assert found["given servers"].ok is False
    assert f"LOYALTY_HDFS={at} does not answer" in found["given servers"].saw
    assert "HDFS NameNode" not in found, "it is asked for what `up` makes there first"
    assert not no_jars.exists(), "it makes nothing"


def test_a_foreign_folder_and_a_damaged_stamp_are_named(no_jars: Path) -> None:
    no_jars.mkdir()
    (no_jars / "photo.jpg").write_bytes(b"x")
    assert "LOYALTY_DATA" in examined()["data folder"].fix
    (no_jars / "stamp.json").write_text("{", encoding="utf-8")
    assert "is damaged" in examined()["data folder"].saw


def test_a_link_to_nothing_is_named_with_its_rm(no_jars: Path) -> None:
    link = no_jars / "orders-log" / "orders-x.log"
    link.parent.mkdir(parents=True)
    link.symlink_to("nowhere")
    other = link.with_name("orders-y.log")
    other.symlink_to("nowhere")
    fixes = [one.fix for one in examine() if one.subject == "order log"]
    assert fixes == [f"`rm {link}`", f"`rm {other}`"], "one fault does not hide the other"


def test_a_damaged_jar_is_named_and_left(no_jars: Path, tmp_path: Path) -> None:
    from cluster.jars import jar_folders

    folder = jar_folders()["kafka"]
    folder.mkdir(parents=True)
    check = examined()["jars"]
    assert check.ok is False
    assert check.fix.startswith(f"`rm -r {folder}`")
    assert folder.is_dir()


@pytest.mark.parametrize(("busy", "ok"), [(0.5, True), (20, False)])
def test_a_busy_machine_is_named(
    no_jars: Path, monkeypatch: pytest.MonkeyPatch, busy: float, ok: bool
) -> None:
    monkeypatch.setattr("cluster.doctor.load", lambda: busy)
    assert examined()["load"].ok is ok


def test_each_port_that_is_taken_has_its_own_fix(
    no_jars: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        ports = {"KAFKA": one.getsockname()[1], "THRIFT": other.getsockname()[1]}
        for name, port in ports.items():
            monkeypatch.setenv(f"LOYALTY_{name}_PORT", str(port))
        found = [c for c in examine() if c.subject == "ports" and c.ok is False]
    for name, port in ports.items():
        (check,) = [c for c in found if f"port {port} for " in c.saw]
        assert check.fix == f"stop that, or set LOYALTY_{name}_PORT to a free port"


def test_what_is_wrong_has_a_fix_and_the_exit_code_says_so(
    no_jars: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_jars.mkdir()
    (no_jars / "photo.jpg").write_bytes(b"x")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("LOYALTY_KAFKA_PORT", str(taken.getsockname()[1]))
        done = CliRunner().invoke(app, ["doctor", "--json"])
    document = json.loads(done.stdout)
    wrong = [check for check in document["checks"] if check["ok"] is False]
    assert {"data folder", "ports"} <= {check["subject"] for check in wrong}
    assert all(check["fix"] for check in wrong)
    assert (done.exit_code, document["ok"]) == (1, False)


def test_wrong_settings_are_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_KAFKA_PORT", "many")
    (check,) = examine()
    assert (check.subject, check.ok) == ("settings", False)
    assert check.saw.startswith("LOYALTY_KAFKA_PORT")
