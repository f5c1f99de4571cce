"""`config` and .env.example: every setting, from where it comes, with its sentence."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from pipeline.explanation import example, explain
from pipeline.settings import ROOT, Settings, defaults, read_settings
from pipeline.variables import PREFIX


@pytest.fixture
def env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the path of a .env that is read, and no other; the environment sets nothing."""
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    return tmp_path / ".env"


def config(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `./loyalty config` as its user does."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    return subprocess.run(
        [str(ROOT / "loyalty"), "config", *arguments], env=inherited | variables,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_every_setting_has_a_sentence() -> None:
    silent = [one.name for one in explain(Settings()) if not one.sentence.endswith(".")]
    assert silent == [], "a docstring under each field says what it is"


def test_the_example_is_that_of_the_settings() -> None:
    wanted = "make it anew: .venv/bin/python -m pipeline.explanation > .env.example"
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example(), wanted
    assert sorted(re.findall(r"^#(LOYALTY_\w+)=", example(), re.MULTILINE)) == sorted(defaults())


def test_a_copy_of_the_example_changes_nothing(env_file: Path) -> None:
    before = read_settings()
    env_file.write_text(example())
    assert read_settings() == before
    # nor does one in which every line is in force; its paths are seen from the file's folder
    lines = re.sub(r"^#(?=LOYALTY_)", "", example(), flags=re.MULTILINE)
    env_file.write_text(lines)
    after = read_settings()
    folder = env_file.parent
    assert after == before.model_copy(
        update={"data": folder / "var", "programme": folder / "programme.toml"}
    )
    assert {one.origin for one in explain(after)} == {".env"}


def test_origins(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env_file.write_text("LOYALTY_TOPIC=a\nLOYALTY_KAFKA=k:1\nLOYALTY_BATCH_LINES=50000\n")
    monkeypatch.setenv("LOYALTY_TOPIC", "b")
    found = {one.name: one for one in explain(read_settings())}
    assert (found["LOYALTY_TOPIC"].value, found["LOYALTY_TOPIC"].origin) == ("b", "environment")
    assert (found["LOYALTY_KAFKA"].value, found["LOYALTY_KAFKA"].origin) == ("k:1", ".env")
    assert {name for name, one in found.items() if one.is_changed} == {
        "LOYALTY_TOPIC", "LOYALTY_KAFKA",
    }  # fmt: skip
    assert found["LOYALTY_TRIGGER_SECONDS"].origin == "default"
    assert found["LOYALTY_TRIGGER_SECONDS"].unit == "seconds, above 0, at most 3600"


def test_the_command() -> None:
    done = config(LOYALTY_TRIGGER_SECONDS="2")
    assert done.returncode == 0, done.stderr
    (changed,) = [line for line in done.stdout.splitlines() if line.split()[1:2] == ["*"]]
    assert changed.split() == ["LOYALTY_TRIGGER_SECONDS", "*", "2", "environment", "5"]
    assert max(map(len, done.stdout.splitlines())) <= 80
    (one,) = json.loads(config("trigger_seconds", "--json", LOYALTY_TRIGGER_SECONDS="2").stdout)
    assert (one["value"], one["default"], one["origin"]) == ("2", "5", "environment")
    done = config("kafak_port")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'LOYALTY_KAFKA_PORT'?" in done.stderr


def test_a_misspelt_name_and_a_wrong_value_are_told_at_once() -> None:
    done = config(LOYALTY_KAFAK_PORT="9092", LOYALTY_THRIFT_PORT="80", LOYALTY_HDFS="n:8020")
    assert (done.returncode, done.stdout) == (2, "")
    said = " ".join(done.stderr.split())
    assert "LOYALTY_KAFAK_PORT is no setting. Did you mean 'LOYALTY_KAFKA_PORT'?" in said
    assert "LOYALTY_THRIFT_PORT is less than 1024 (got '80')." in said
    assert "LOYALTY_HDFS and LOYALTY_WEBHDFS are of one server" in said
