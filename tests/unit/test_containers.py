"""With a container for each component the same templates name the containers, and listen there."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cluster.component import read_components
from cluster.java import java_command
from pipeline.addresses import EVERYWHERE, LOOPBACK
from pipeline.cli import app
from pipeline.settings import Settings
from tests.unit.test_given import JARS, rendered

OUTSIDE = "advertised.listeners=PLAINTEXT://127.0.0.1:9092,INNER://kafka:19092"
"""What the broker tells the host's clients, whose port is published on loopback."""
CONTROLLER = ("controller.quorum.voters=1@127.0.0.1:9093", "CONTROLLER://127.0.0.1:9093")
"""The broker's own process is the only one that asks its controller."""
WEBHDFS = "<name>dfs.datanode.hostname</name><value>127.0.0.1</value>"
"""Whither the host's clients of WebHDFS are sent; see pipeline/webhdfs.py."""


def in_containers(data: Path) -> Settings:
    return Settings.model_validate({"data": data, "containers": True})


def test_everybody_finds_the_others_by_the_components_names(tmp_path: Path) -> None:
    settings = in_containers(tmp_path)
    hosts = {settings.host(name) for name in read_components()}
    assert hosts == set(read_components())
    assert settings.kafka == "kafka:19092"
    assert settings.hdfs == "hdfs://namenode:8020"
    assert settings.webhdfs == "http://namenode:9870"
    assert settings.zookeeper == "hbase:2181"
    assert settings.thrift == ("thrift", 9090)
    assert settings.metastore == ("metastore", 9083)
    assert settings.hive == ("hiveserver2", 10000)


def test_loopback_is_left_for_the_hosts_clients_and_the_controller_only(tmp_path: Path) -> None:
    text = rendered(in_containers(tmp_path / "data"))
    for known in (OUTSIDE, *CONTROLLER, WEBHDFS):
        assert known in text
        text = text.replace(known, "")
    assert LOOPBACK not in text
    assert "localhost" not in text


def test_natively_nobody_listens_elsewhere(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path / "data"})
    assert EVERYWHERE not in rendered(settings)
    thrift = java_command(read_components()["thrift"], settings, JARS)
    assert thrift[thrift.index("-b") + 1] == LOOPBACK
    listening = re.findall(r"listeners=.*", rendered(settings))
    assert listening
    assert all(LOOPBACK in line for line in listening)


def test_other_tools_are_told_where_the_host_finds_the_servers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path))
    monkeypatch.setenv("LOYALTY_CONTAINERS", "true")
    done = CliRunner().invoke(app, ["connect", "--json"], prog_name="./loyalty")
    addresses = {client["address"] for client in json.loads(done.stdout).values()}
    assert {"127.0.0.1:9092", "127.0.0.1:10000", "127.0.0.1:9090"} <= addresses
    assert not any(name in done.stdout for name in ("namenode:", "kafka:", "thrift:"))


@pytest.mark.parametrize(
    ("command", "instead"),
    [
        (["up"], "docker compose up -d --wait"),
        (["down"], "docker compose down"),
        (["logs", "kafka"], "docker compose logs kafka"),
        (["unit"], "start with Docker itself"),
        (["backup", "elsewhere"], "a copy of its volumes"),
    ],
)
def test_what_docker_does_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str], instead: str
) -> None:
    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path))
    monkeypatch.setenv("LOYALTY_CONTAINERS", "true")
    done = CliRunner().invoke(app, command, prog_name="./loyalty")
    assert done.exit_code == 1
    assert instead in " ".join(done.stderr.split())
