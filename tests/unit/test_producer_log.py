"""The order log: names, rolling, one file a writer, torn lines, a full disk."""

import fcntl
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.places import Places, tailed_files
from producer.growing import NoRoom
from producer.log import OrderLog, files, locked, mend

ZONE = ZoneInfo("America/New_York")
NOON = int(datetime(2026, 11, 24, 12, tzinfo=ZONE).timestamp() * 1000)
MINUTE = 60_000


class Clock:
    """A clock that the test sets."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def order_log(folder: Path, clock: Clock | None = None, roll_minutes: int = 60) -> OrderLog:
    return OrderLog(folder, ZONE, roll_mib=1, roll_minutes=roll_minutes, clock=clock or Clock())


def names(folder: Path) -> list[str]:
    return [path.name for path in files(folder)]


def test_a_line_arrives_whole_in_a_file_named_by_date_and_sequence(tmp_path: Path) -> None:
    folder = tmp_path / "orders-log"
    with order_log(folder) as log:
        assert names(folder) == []
        log.write(b"one\n")
        log.write(b"\n")
        path = folder / "orders-20261124-000001.log"
        assert path.read_bytes() == b"one\n\n"
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_date_is_the_programmes_not_utc(tmp_path: Path) -> None:
    late = datetime(2026, 11, 24, 23, 59, tzinfo=ZONE)
    with order_log(tmp_path, Clock(int(late.timestamp() * 1000))) as log:
        log.write(b"one\n")
    assert names(tmp_path) == ["orders-20261124-000001.log"]


def test_writers_at_the_same_time_have_files_of_their_own(tmp_path: Path) -> None:
    with order_log(tmp_path) as one, order_log(tmp_path) as two:
        one.write(b"one\n")
        two.write(b"two\n")
        one.write(b"one\n")
    assert [path.read_bytes() for path in files(tmp_path)] == [b"one\none\n", b"two\n"]


def test_a_file_is_rolled_before_it_gets_too_large(tmp_path: Path) -> None:
    line = b"x" * 65_535 + b"\n"
    with order_log(tmp_path) as log:
        for _ in range(17):
            log.write(line)
    assert [path.stat().st_size for path in files(tmp_path)] == [1 << 20, len(line)]


def test_a_file_is_rolled_by_time(tmp_path: Path) -> None:
    clock = Clock()
    with order_log(tmp_path, clock, roll_minutes=10) as log:
        for minute in (0, 9, 10, 19, 30):
            clock.now = NOON + minute * MINUTE
            log.write(b"%d\n" % minute)
    assert [path.read_bytes() for path in files(tmp_path)] == [b"0\n9\n", b"10\n19\n", b"30\n"]


@pytest.mark.parametrize("day", ["2026-11-24", "2026-11-01", "2026-03-08"])
def test_a_new_date_begins_a_new_file_on_days_of_any_length(tmp_path: Path, day: str) -> None:
    midnight = datetime.fromisoformat(f"{day}T23:59:59.999").replace(tzinfo=ZONE)
    clock = Clock(int(midnight.timestamp() * 1000))
    with order_log(tmp_path, clock) as log:
        log.write(b"old\n")
        clock.now += 1
        log.write(b"new\n")
    old, new = names(tmp_path)
    assert old == f"orders-{day.replace('-', '')}-000001.log"
    assert new > old
    assert new.endswith("-000001.log")


def test_a_writers_file_is_locked_until_it_is_closed(tmp_path: Path) -> None:
    with order_log(tmp_path) as log:
        log.write(b"one\n")
        (path,) = files(tmp_path)
        with locked(path) as file:
            assert file is None
    with locked(path) as file:
        assert file is not None


@pytest.mark.parametrize(
    ("left", "mended"),
    [
        (b"one\ntor", b"one\n"),
        (b"tor", b""),
        (b"one\n" + b"x" * 200_000, b"one\n"),
        (b"one\n", b"one\n"),
        (b"", b""),
    ],
)
def test_the_next_writer_takes_back_a_torn_line(tmp_path: Path, left: bytes, mended: bytes) -> None:
    path = tmp_path / "orders-20261124-000001.log"
    path.write_bytes(left)
    with order_log(tmp_path) as log:
        log.write(b"new\n")
    assert path.read_bytes() == mended
    assert names(tmp_path)[1] == "orders-20261124-000002.log"


def test_a_half_line_of_a_living_writer_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "orders-20261124-000001.log"
    with path.open("wb") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        writer.write(b"one\nha")
        writer.flush()
        assert mend(tmp_path) == []
        assert path.read_bytes() == b"one\nha"
    assert mend(tmp_path) == [path]


def test_a_foreign_tills_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "orders-till-7.log"
    path.write_bytes(b"one\nha")
    assert mend(tmp_path) == []


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let the kernel break off writes beyond a file size, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_a_line_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    line = b"0123456789\n"
    with order_log(tmp_path) as log:
        with room_for(30):
            log.write(line)
            log.write(line)
            for _ in range(3):
                with pytest.raises(NoRoom, match="make room"):
                    log.write(line)
                assert next(files(tmp_path)).read_bytes() == line * 2
        log.write(line)
    assert next(files(tmp_path)).read_bytes() == line * 3


def test_of_several_lines_those_that_are_in_stay_and_are_told(tmp_path: Path) -> None:
    lines = b"one\ntwo\nthree\n"
    with order_log(tmp_path) as log:
        with room_for(10), pytest.raises(NoRoom) as full:
            log.write(lines)
        assert full.value.taken == len(b"one\ntwo\n")
        assert next(files(tmp_path)).read_bytes() == b"one\ntwo\n", "a reader may have them"
        log.write(lines[full.value.taken :])
    assert next(files(tmp_path)).read_bytes() == lines


def test_what_is_written_at_once_is_one_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    write = os.write

    def recorded(file: int, data: bytes) -> int:
        written.append(data)
        return write(file, data)

    monkeypatch.setattr(os, "write", recorded)
    with order_log(tmp_path) as log:
        log.write(b"one\n")
        log.write(b"two\nthree\n")
    assert written == [b"one\n", b"two\nthree\n"]


def test_what_flume_does_not_tail_is_no_order_file(tmp_path: Path) -> None:
    for name in ("orders.log", "orders-1.log", "orders- é.log", "orders-\n.log", "other.log"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "orders-folder.log").mkdir()
    names = [path.name for path in tailed_files(tmp_path)]
    assert names == ["orders-\n.log", "orders- é.log", "orders-1.log", "orders.log"]
    assert tailed_files(tmp_path / "absent") == []


def test_what_flume_does_not_read_is_told(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert places.left_out() == {}
    places.order_log.mkdir()
    good = tmp_path / "elsewhere"
    good.write_bytes(b"")
    names = {"orders-a.log": "orders-a.log", "orders-b.log": "nothing", "orders-c.log": str(good),
             "other.log": "nothing"}  # fmt: skip
    for name, target in names.items():
        (places.order_log / name).symlink_to(target)
    (places.order_log / "orders-d.log").write_bytes(b"")
    (places.order_log / "orders-0.log").symlink_to("orders-d.log")
    (places.order_log / "orders-e.log").hardlink_to(places.order_log / "orders-d.log")
    os.mkfifo(places.order_log / "orders-f.log")
    (places.order_log / "orders-g.log").mkdir()
    (places.order_log / "orders-h.log").symlink_to("orders-g.log")
    (places.order_log / os.fsdecode(b"orders-\xff.log")).write_bytes(b"")
    assert {os.fsencode(path.name): why for path, why in places.left_out().items()} == {
        b"orders-a.log": "is a link to nothing", b"orders-b.log": "is a link to nothing",
        b"orders-f.log": "is no regular file", b"orders-g.log": "is a folder",
        b"orders-h.log": "is a folder", b"orders-\xff.log": "has a name that is no UTF-8",
    }  # fmt: skip
    # a file with several names is read under the first that is no link
    assert [path.name for path in tailed_files(places.order_log)] == [
        "orders-c.log", "orders-d.log",
    ]  # fmt: skip
