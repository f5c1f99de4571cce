"""Settings that cannot be right are refused before anything is begun."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from cluster.configuration import render
from cluster.stamp import read_stamp
from pipeline.cli import app
from pipeline.errors import Refused, UsageError
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.settings import ROOT, Settings, read_settings


def test_one_port_for_two_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_THRIFT_PORT", "9092")
    with pytest.raises(UsageError, match="LOYALTY_KAFKA_PORT and LOYALTY_THRIFT_PORT are both"):
        read_settings()


def test_a_data_folder_that_is_a_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path / "file"))
    with pytest.raises(UsageError, match="LOYALTY_DATA has to be a folder"):
        read_settings()


def test_a_damaged_stamp_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "stamp.json").touch()
    with pytest.raises(Refused, match=r"stamp\.json is damaged"):
        read_stamp(Settings(data=tmp_path))


def test_a_programme_in_another_encoding_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "programme.toml"
    file.write_bytes('currency = "caf\u00e9"'.encode("latin-1"))
    with pytest.raises(Refused, match="no valid TOML"):
        read_programme(file)


@pytest.mark.parametrize(
    "name", [".", "..", "a/b", "a b", "__consumer_offsets", "\u00e9", "a" * 250]
)
def test_a_topic_that_kafka_would_not_take_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("LOYALTY_TOPIC", name)
    with pytest.raises(UsageError, match="LOYALTY_TOPIC has to be 1 to 249 letters"):
        read_settings()


def test_a_topic_of_kafkas_legal_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("orders", "Orders_2.eu-1", "a" * 249):
        monkeypatch.setenv("LOYALTY_TOPIC", name)
        assert read_settings().topic == name


def test_the_topic_has_to_outlive_the_order_log(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().topic_retention_days > 4 * Settings().log_retention_days
    monkeypatch.setenv("LOYALTY_LOG_RETENTION_DAYS", "30")
    monkeypatch.setenv("LOYALTY_TOPIC_RETENTION_DAYS", "30")
    with pytest.raises(UsageError, match=r"RETENTION_DAYS \(30\) has to be more than"):
        read_settings()


def test_kafka_keeps_lines_and_offsets_as_long_as_the_settings_say(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, topic_retention_days=40)
    render(settings, Places(tmp_path), "UTC", {"spark": Path("x")})
    text = (tmp_path / "conf/kafka/server.properties").read_text()
    assert "\nlog.retention.hours=960\n" in text
    assert "\noffsets.retention.minutes=57600\n" in text


COMMANDS = [
    ("up",), ("down",), ("status",), ("logs", "flume"), ("restore", "."), ("backup", "x"),
    ("produce", "--count", "1"), ("replay", "README.md"), ("retention",), ("unit",),
    ("rate", "5/s"), ("refresh",), ("refreshes",), ("sql", "select 1"), ("orders", "7"),
    ("verify",), ("rebuild",), ("quarantine",), ("customers", "load", "README.md"),
    ("config",), ("connect",), ("completion", "bash"),
]  # fmt: skip
OTHER_ENDS = {"doctor", "drill", "test"}
"""doctor has a row of its findings for it, the others make data folders of their own."""


def test_no_command_is_forgotten() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert {words[0] for words in COMMANDS} | OTHER_ENDS == set(group.commands)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_data_folder_of_an_unknown_version_is_refused_by_every_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "stamp.json").write_text('{"version": 99}')
    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path))
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 1
    assert "layout of version 99, this program knows 1" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["stamp.json"], "nothing was touched"


def test_another_users_data_folder_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`up` makes it for its owner alone; root, who may be running this, looks into any."""

    def forbid(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path))
    monkeypatch.setattr(Path, "read_bytes", forbid)
    with pytest.raises(Refused, match=rf"^{tmp_path} is another user's.*as its owner"):
        read_settings()


def test_a_stage_leaves_an_unknown_folder_alone_too(tmp_path: Path) -> None:
    (tmp_path / "stamp.json").write_text('{"version": 99}')
    variables = os.environ | {"LOYALTY_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "producer"], env=variables, cwd=ROOT, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "layout of version 99" in done.stderr


@pytest.fixture
def env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Give the path of the .env that is read instead of the checkout's."""
    monkeypatch.setitem(Settings.model_config, "env_file", tmp_path / ".env")
    return tmp_path / ".env"


def test_dockers_own_variables_may_stand_beside_ours(env_file: Path) -> None:
    env_file.write_text("COMPOSE_PROJECT_NAME=second\nLOYALTY_TOPIC=till\nDOCKER_HOST=x\n")
    assert read_settings().topic == "till"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "LOYALTY_TRIGER_SECONDS=5",
            "(line 2 of .env) is no setting. Did you mean 'LOYALTY_TRIGGER_",
        ),
        ("LOYALITY_TOPIC=a", "(line 2 of .env) is no setting. Did you mean 'LOYALTY_TOPIC'?"),
        ("LOYALTY_TOPIK=", "Did you mean 'LOYALTY_TOPIC'?"),
        ("ZZZ=1", "ZZZ (line 2 of .env) is no setting; .env.example lists all settings"),
        ("LOYALTY_TOPIC orders", "line 2 of .env is not NAME=value"),
        ("LOYALTY_TOPIC", "line 2 of .env is not NAME=value"),
    ],
)
def test_every_line_of_env_is_a_setting(env_file: Path, line: str, says: str) -> None:
    env_file.write_text(f"LOYALTY_KAFKA_PORT=80\n{line}\n")
    with pytest.raises(UsageError) as caught:
        read_settings()
    assert says in str(caught.value)
    assert "LOYALTY_KAFKA_PORT is less than 1024 (got '80')." in str(caught.value)


def test_a_misspelt_beginning_is_refused_and_anothers_variable_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOYALITY_KAFKA_PORT", "9192")
    monkeypatch.setenv("LOYALITY_BADGE", "none of ours")
    monkeypatch.setenv("ROYAL_KAFKA_PORT", "none of ours")
    with pytest.raises(UsageError) as caught:
        read_settings()
    said = str(caught.value)
    assert "LOYALITY_KAFKA_PORT is no setting. Did you mean 'LOYALTY_KAFKA_PORT'?" in said
    assert said.count("is no setting") == 1


def test_an_env_that_is_no_text_is_a_sentence(env_file: Path) -> None:
    env_file.write_bytes(b"LOYALTY_TOPIC=caf\xe9\n")
    with pytest.raises(UsageError, match=r"\.env cannot be read"):
        read_settings()


def test_names_of_others_in_the_environment_are_theirs(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STACK_OF", "DRILL_NAMESPACE", "NOT_LOYALTY_X", "loyal"):
        monkeypatch.setenv(name, "1")
    env_file.write_text("# nothing\n")
    assert read_settings().topic == "orders"


def test_what_does_not_go_together_is_told_only_of_right_values(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOYALTY_KAFKA_PORT", "80")
    monkeypatch.setenv("LOYALTY_THRIFT_PORT", "9092")  # Kafka's default
    monkeypatch.setenv("LOYALTY_LOG_RETENTION_DAYS", "90")
    with pytest.raises(UsageError) as caught:
        read_settings()
    assert "are both" not in str(caught.value)
    assert "LOYALTY_TOPIC_RETENTION_DAYS (90) has to be more than" in str(caught.value)


def test_a_path_of_env_is_seen_from_its_folder(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    env_file.write_text("LOYALTY_DATA=var2\n")
    monkeypatch.chdir("/")
    assert read_settings().data == tmp_path / "var2"
