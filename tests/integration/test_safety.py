"""Safe from the start: owners and modes on HDFS, secrets, and where personal data may be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.storage import FOLDERS
from drill.stack import OwnStack
from pipeline.errors import LoyaltyError
from pipeline.webhdfs import Hdfs


def folders(hdfs: Hdfs, folder: str) -> Iterator[tuple[str, str]]:
    """Give every folder on HDFS with its mode."""
    for name, status in hdfs.statuses(folder):
        if status["type"] == "DIRECTORY":
            path = f"{folder.rstrip('/')}/{name}"
            yield path, status["permission"]
            yield from folders(hdfs, path)


def test_no_folder_on_hdfs_is_open_to_everyone(stack: OwnStack) -> None:
    modes = dict(folders(Hdfs(stack.settings.webhdfs, user="root"), "/"))
    assert len(modes) > len(FOLDERS)
    assert {path: mode for path, mode in modes.items() if mode.endswith("7")} == {}
    scratch = stack.places.scratch
    assert {path for path, mode in modes.items() if mode[-1] in "23"} == {str(scratch)}
    assert modes[str(scratch.parent)] == "700", "nobody else gets as far as the scratch folder"


def test_each_folder_has_its_owner(stack: OwnStack) -> None:
    hdfs = Hdfs(stack.settings.webhdfs, user="root")
    for path, owner, group, mode in FOLDERS:
        parent, _, name = path.rpartition("/")
        status = dict(hdfs.statuses(parent or "/"))[name]
        assert (status["owner"], status["group"], status["permission"]) == (owner, group, mode)


def test_a_stage_may_not_write_where_another_one_owns(stack: OwnStack) -> None:
    with pytest.raises(LoyaltyError, match=r"[Pp]ermission"):
        Hdfs(stack.settings.webhdfs, user="spark").write("/data/raw/orders/intruder", b"x")


def files(*roots: Path) -> Iterator[Path]:
    """Give the files below some folders, but for Kafka's indexes: offsets, and mostly holes."""
    for root in roots:
        yield from (
            path for path in root.rglob("*") if path.is_file() and "index" not in path.suffix
        )


def test_personal_data_is_in_no_log_and_not_in_the_topic(stack: OwnStack, customers: Path) -> None:
    rows = customers.read_text(encoding="utf-8").splitlines()[:50]
    emails = [row.split(",")[3].encode() for row in rows]
    data = stack.settings.data
    looked = list(
        files(data / "log", data / "orders-log", data / "kafka", data / "producer", data / "run",
              data / "conf", data / "flume", data / "spark")
    )  # fmt: skip
    assert len(looked) > 20
    found = {str(path) for path in looked if any(email in path.read_bytes() for email in emails)}
    assert found == set()


def test_secrets_are_readable_by_their_owner_only(stack: OwnStack) -> None:
    secrets = list(files(stack.places.secrets))
    assert secrets
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets)
    assert stack.places.secrets.stat().st_mode & 0o077 == 0
    assert stack.places.conf.stat().st_mode & 0o077 == 0, "the metastore's password is in there"
