"""The systemd unit means this very stack."""

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster.shutdown import ORDER
from cluster.supervision import DEFAULT_STOP_SECONDS, STOP_SECONDS
from cluster.unit import STOP_SECONDS as UNIT_SECONDS
from cluster.unit import write_unit
from pipeline.settings import ROOT, read_settings

GIVEN = {
    "LOYALTY_DATA": "va/../var2",
    "LOYALTY_PROGRAMME": 'pro gramme/100% "$x"\\',
    "LOYALTY_TOPIC": "",
    "loyalty_kafka_port": "9192",
    "HOME": "mine",
    "XDG_CACHE_HOME": "/there/already",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be a shell in a folder of its own, with these variables."""
    for name in [name for name in os.environ if name.startswith("LOYALTY_")]:
        monkeypatch.delenv(name)
    for name, value in GIVEN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


@pytest.mark.parametrize("of_user", [True, False])
def test_it_starts_and_stops_the_stack_of_this_shell(folder: Path, of_user: bool) -> None:
    text = write_unit(os.environ, read_settings(), of_user=of_user)
    unit = read(text)
    service = dict(unit["Service"])
    assert (service["Type"], service["RemainAfterExit"]) == ("oneshot", "yes")
    assert service["ExecStart"] == f'"{ROOT / "loyalty"}" up'
    assert service["ExecStop"] == f'"{ROOT / "loyalty"}" down'
    assert ("User" in service) != of_user
    assert unit["Install"]["WantedBy"] == ("default.target" if of_user else "multi-user.target")
    assert f'Environment="LOYALTY_DATA={folder}/var2"' in text
    assert f'Environment="LOYALTY_PROGRAMME={folder}/pro gramme/100%% \\"$x\\"\\\\"' in text
    assert 'Environment="LOYALTY_KAFKA_PORT=9192"' in text
    assert text.count("LOYALTY_") == 3
    assert 'Environment="XDG_CACHE_HOME=/there/already"' in text
    assert '"HOME=' not in text
    assert "LOYALTY_TOPIC" not in text
    stops = [STOP_SECONDS.get(name, DEFAULT_STOP_SECONDS) for group in ORDER for name in group]
    # then supervisord has a minute to end, and what a component has left 5 s each
    assert sum(stops) + 60 + 5 * len(stops) < UNIT_SECONDS <= int(service["TimeoutStopSec"])
    if shutil.which("systemd-analyze"):  # elsewhere the text above has to do
        assert faults(folder / "loyalty.service", text) == []


def faults(file: Path, text: str) -> list[str]:
    """Give what systemd does not understand of it; it says so, and ends with 0 nevertheless."""
    file.write_text(text)
    command = ["systemd-analyze", "verify", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stderr.splitlines() if file.name in line]
