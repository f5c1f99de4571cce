"""Settings that cannot be right are refused before anything is begun."""

from pathlib import Path

import pytest

from cluster.stamp import read_stamp
from pipeline.errors import Refused, UsageError
from pipeline.programme import read_programme
from pipeline.settings import Settings, read_settings


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
