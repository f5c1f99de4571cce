"""What an agent left open on real HDFS: which dates are listed, and whose files get their names."""

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from drill.stack import OwnStack
from flume.kept import copy_of_positions
from flume.recovery import recover
from pipeline import raw
from pipeline.places import CLEAN, Places
from pipeline.positions import read_positions
from pipeline.webhdfs import Hdfs
from tests.waiting import wait_until

TODAY = date(2026, 11, 30)


class Raw(Hdfs):
    """A client that tells which dates of a folder like HDFS raw it was asked for."""

    def __init__(self, url: str, root: str) -> None:
        super().__init__(url, user="spark")
        self.root = root
        self.listed: list[str] = []

    def names(self, folder: str) -> list[str]:
        if folder != self.root:
            self.listed.append(folder.removeprefix(f"{self.root}/dt="))
        return super().names(folder)

    def leave(self, day: str, name: str = ".orders.1.log.tmp") -> None:
        self.write(f"{self.root}/dt={day}/{name}", b"line\n")


@pytest.fixture
def left(quiet_stack: OwnStack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Raw]:
    made = Raw(quiet_stack.settings.webhdfs, f"{CLEAN}/test-{uuid.uuid4().hex[:8]}")
    monkeypatch.setattr("flume.recovery.RAW", made.root)
    monkeypatch.setattr("flume.recovery.dates", partial(raw.dates, root=made.root))
    yield made
    made.delete(made.root)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "flume").mkdir()
    return Places(tmp_path)


def recovered(left: Raw, places: Places) -> list[str]:
    """Recover, where nothing is open any more; gives the dates whose file got its name."""
    left.listed.clear()
    names = recover(left, lambda *_: "", places, TODAY)
    assert all(name.endswith("/orders.1.log") and left.exists(name) for name in names)
    return [name.removeprefix(f"{left.root}/dt=").split("/")[0] for name in names]


def test_only_what_the_last_agent_may_have_left_is_listed(left: Raw, places: Places) -> None:
    assert recovered(left, places) == []
    days = [f"2026-11-{day:02}" for day in range(20, 24)]
    for day in days:
        left.leave(day)
    assert recovered(left, places) == days
    assert recovered(left, places) == []
    assert left.listed == days[-1:]
    # an agent that lived for days, and could not rename a file on its first one
    week = [f"2026-11-{day:02}" for day in range(23, 27)]
    for day in week[1:]:
        left.leave(day, "orders.0.log")
    left.leave(week[0], ".orders.2.log.tmp")
    assert recover(left, lambda *_: "", places, TODAY) == [f"{left.root}/dt={week[0]}/orders.2.log"]
    assert left.listed[-4:] == week


def test_a_marker_that_was_torn_lets_more_be_listed(left: Raw, places: Places) -> None:
    for day in ("2026-10-09", "2026-11-24"):
        left.leave(day)
    (places.positions.parent / "recovered").write_text("2026-1")
    assert recovered(left, places) == ["2026-10-09", "2026-11-24"]


def test_after_a_folder_of_a_date_still_to_come_everything_is_found(
    left: Raw, places: Places
) -> None:
    """As where a clock was wrong once; today's is another date in another zone."""
    left.leave("2030-01-01")
    assert recovered(left, places) == ["2030-01-01"]
    for day in (TODAY - timedelta(days=1), TODAY):
        left.leave(day.isoformat())
    assert recovered(left, places) == ["2026-11-29", "2026-11-30"]


def test_a_folder_of_a_date_that_is_none_is_passed_over(left: Raw, places: Places) -> None:
    left.leave("2026-02-30")
    left.leave("2026-02-28")
    assert recovered(left, places) == ["2026-02-28"]


def test_a_torn_position_file_does_not_bring_the_whole_log_again(quiet_stack: OwnStack) -> None:
    """Flume was killed amid writing it; the watcher has a copy of some seconds before."""
    stack = quiet_stack
    lines = "".join(f"7|1554134400000|TORN-{n}|1|SALE|3|latte|1|70.00|\n" for n in range(50))
    stack.ok("produce", "--from", "-", stdin=lines)
    stack.ok("verify", "--wait")
    file, copy = stack.places.positions, copy_of_positions(stack.places)
    wait_until("the watcher copies it", lambda: read_positions(copy) == read_positions(file))
    stack.supervisor.stop("flume")
    before, whole = stack.topic.ends(), file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    stack.supervisor.start("flume")
    wait_until("it reads on", lambda: read_positions(file) == read_positions(copy), seconds=120)
    stack.ok("produce", "--from", "-", stdin=lines)
    stack.ok("verify", "--wait")
    came = sum(stack.topic.ends().values()) - sum(before.values())
    assert came == len(lines.splitlines()), "what was read before is not read again"
