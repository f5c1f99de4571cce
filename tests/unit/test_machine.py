"""Checks of the machine, and locks between commands."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from cluster.checks import check_machine, check_ports
from cluster.component import read_components
from pipeline.commands.processes import down
from pipeline.commands.up import up
from pipeline.errors import Refused
from pipeline.lock import only_one
from pipeline.settings import Settings


def test_a_taken_port_is_named_with_what_holds_it() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        findings = check_ports([read_components()["kafka"]], Settings(kafka_port=port))
    sentence = " ".join(finding.sentence() for finding in findings)
    assert f"port {port} for Kafka broker is taken by process {os.getpid()}" in sentence
    assert "LOYALTY_KAFKA_PORT" in sentence


def test_a_free_port_is_no_finding() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    findings = check_ports([read_components()["thrift"]], Settings(thrift_port=port))
    assert findings == []


def test_a_machine_without_java_gets_a_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sentences = [f.sentence() for f in check_machine(Settings(data=tmp_path))]
    assert any("no java" in s and "openjdk-17" in s for s in sentences)


def test_a_java_without_a_compiler_gets_a_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = shutil.which("java")
    assert java is not None
    (tmp_path / "java").symlink_to(java)
    monkeypatch.setenv("PATH", str(tmp_path))
    sentences = [f.sentence() for f in check_machine(Settings(data=tmp_path))]
    assert any("no javac" in s and "openjdk-17-jdk" in s for s in sentences)


def test_the_second_is_refused_and_told_who_is_first(tmp_path: Path) -> None:
    lock = tmp_path / "run" / "up.lock"
    with (
        only_one(lock, "A `down`"),
        pytest.raises(Refused, match=f"A `down` is running already .process {os.getpid()}"),
        only_one(lock, "An `up`"),
    ):
        pytest.fail("both hold the lock")
    with only_one(lock, "An `up`"):
        assert lock.read_text() == f"{os.getpid()} An `up`\n"


def test_a_folder_of_somebody_elses_is_neither_used_nor_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x")
    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path))
    with pytest.raises(Refused, match="no stamp"):
        down(purge=True, yes=True)
    with pytest.raises(Refused, match="no stamp"):
        up()
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]
