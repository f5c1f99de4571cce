"""What is over goes, on real servers; what is not stays."""

import os
import time
import uuid
from datetime import date, timedelta

import pytest

from cluster.leftovers import forget_raw, has_read, old_sessions
from cluster.tidying import tidy
from drill.stack import OwnStack
from pipeline.raw import begins_at, first_whole_date
from pipeline.webhdfs import Hdfs
from streaming.progress import read_progress


@pytest.fixture
def hdfs(quiet_stack: OwnStack) -> Hdfs:
    return Hdfs(quiet_stack.settings.webhdfs, user="root")


def test_every_store_tells_what_it_holds(quiet_stack: OwnStack) -> None:
    quiet_stack.ok("produce", "--count", "5", "--rate", "max")
    quiet_stack.ok("verify", "--wait")
    progress = read_progress(quiet_stack.places)
    assert progress is not None
    assert progress.appended.keys() == progress.offsets.keys()
    read = has_read(quiet_stack.places, quiet_stack.settings, date.today())  # noqa: DTZ011
    assert read == (not progress.gaps)
    stores = {row["store"]: row for row in quiet_stack.answer("retention")}
    assert [name for name, row in stores.items() if row["used"] is None] == []
    for name in ("topic", "order log files", "HDFS raw", "transactions_cln"):
        assert stores[name]["used"] > 0
        assert date.fromisoformat(stores[name]["oldest"]) <= date.today() + timedelta(days=1)  # noqa: DTZ011


def test_only_sessions_in_which_nothing_changes_are_old(hdfs: Hdfs) -> None:
    root = f"/probes/{uuid.uuid4().hex}"
    hdfs.write(f"{root}/hive/session/inner/file", b"x")
    assert list(old_sessions(hdfs, time.time() - 60, root)) == []
    assert list(old_sessions(hdfs, time.time() + 60, root)) == [f"{root}/hive/session"]
    hdfs.delete(root)


def test_hives_sessions_leave_nothing_outside_of_the_data_folder(quiet_stack: OwnStack) -> None:
    """Tez in local mode works in this machine's folder that has the scratch folder's path."""
    assert quiet_stack.sql("select count(*) n from (select 1 x union all select 2) t") == [{"n": 2}]
    assert any(quiet_stack.places.scratch.rglob("application_*"))


def test_raw_is_forgotten_by_whole_dates_and_says_where_it_begins(hdfs: Hdfs) -> None:
    root = f"/probes/{uuid.uuid4().hex}"
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        hdfs.write(f"{root}/dt={day}/orders.1.log", b"line\n")
    assert list(forget_raw(hdfs, date(2026, 1, 1), root)) == []
    assert first_whole_date(hdfs, root) is None
    assert list(forget_raw(hdfs, date(2026, 1, 3), root)) == [
        f"{root}/dt=2026-01-01",
        f"{root}/dt=2026-01-02",
    ]
    assert hdfs.names(root) == ["dt=2026-01-03"]
    assert begins_at(hdfs, root) == date(2026, 1, 3)
    assert first_whole_date(hdfs, root) == date(2026, 1, 4)
    hdfs.delete(root)
    hdfs.delete(f"{root}.begins")


def test_the_watcher_tidies_up(quiet_stack: OwnStack, capfd: pytest.CaptureFixture[str]) -> None:
    old, new = (quiet_stack.places.data / "hive" / "local" / name for name in ("old", "new"))
    two_days_ago = time.time() - 2 * 86_400
    for path in (old, new):
        path.touch()
    os.utime(old, (two_days_ago, two_days_ago))
    tidy(quiet_stack.settings)
    assert (old.exists(), new.exists()) == (False, True)
    said = capfd.readouterr().err
    assert f"{old} is deleted: its session is over" in said
    assert "stays for now" not in said
    new.unlink()
