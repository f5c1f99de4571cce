"""A backup is whole or none: its manifest, its hashes, and the folder that it takes."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from backup.copies import Copies
from backup.manifest import (
    NAME,
    Item,
    Manifest,
    blocks,
    check_files,
    read_manifest,
    store,
    write_manifest,
)
from backup.restoring import check_fits, check_room
from backup.taking import copy_log, demand_no_gap, demand_room, demand_running, new_folder
from cluster.stack import Stack
from hbase.codec import to_line, to_row
from pipeline.errors import Refused
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs
from streaming.progress import Standing, write_progress
from streaming.staging import Counts, Gap, Record

LINE = b"7|1554120000000|A-1|1|REFUND|3|caf\xc3\xa9 latte|1|70.00|A-0"


def manifest(*items: Item) -> Manifest:
    zone = "America/New_York"
    return Manifest("2026-11-29T12:00:00+00:00", zone, 24, "empty", False, {"orders-1.log": 5},
                    ["2026-11-28"], list(items))  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a small backup that is whole."""
    made = tmp_path / "backup"
    with new_folder(made):
        item = store(made, "hdfs/data/raw/orders/dt=2026-11-28/a.log", [LINE, b"\n"], 7)
        write_manifest(made, manifest(item))
    return made


def test_what_was_written_is_read_and_only_its_owner_may(folder: Path) -> None:
    read = read_manifest(folder)
    assert read == manifest(*read.items)
    assert [item.path for item in read.below("hdfs")] == [read.items[0].path]
    assert read.below("hdfs/data/raw/order") == []
    told: list[int] = []
    check_files(folder, read.items, told.append)
    assert told == [len(LINE) + 1]
    modes = {path: path.stat().st_mode & 0o777 for path in [folder, *folder.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}


def test_a_changed_byte_is_found(folder: Path) -> None:
    items = read_manifest(folder).items
    path = folder / items[0].path
    path.write_bytes(path.read_bytes().replace(b"70.00", b"71.00"))
    with pytest.raises(Refused, match=r"a\.log is not as it was written"):
        check_files(folder, items, lambda _: None)
    path.unlink()
    with pytest.raises(Refused, match=r"a\.log is missing"):
        check_files(folder, items, lambda _: None)


def test_a_backup_that_was_broken_off_is_none(folder: Path) -> None:
    (folder / NAME).rename(folder / f"{NAME}.new")
    with pytest.raises(Refused, match="broken off"):
        read_manifest(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 1'])
def test_a_damaged_manifest_is_a_sentence(folder: Path, text: str) -> None:
    (folder / NAME).write_text(text)
    with pytest.raises(Refused, match="damaged"):
        read_manifest(folder)


def test_a_newer_format_is_refused(folder: Path) -> None:
    values = json.loads((folder / NAME).read_text()) | {"format": 2}
    (folder / NAME).write_text(json.dumps(values))
    with pytest.raises(Refused, match="format 2, this program knows 1"):
        read_manifest(folder)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(Refused, match="not empty"), new_folder(tmp_path):
        pass
    assert (tmp_path / "mine").exists()


@pytest.mark.parametrize("was_there", [True, False])
def test_what_is_broken_off_leaves_nothing(tmp_path: Path, was_there: bool) -> None:
    made = tmp_path / "backup"
    if was_there:
        made.mkdir()

    def is_interrupted() -> None:
        with new_folder(made):
            store(made, "hdfs/a/b", [b"x"], 0)
            store(made, "c", [b"x"], 0)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        is_interrupted()
    assert made.exists() == was_there
    assert list(tmp_path.rglob("*")) == ([made] if was_there else [])


@pytest.mark.parametrize(
    ("text", "end"),
    [(b"", 0), (b"half", 0), (b"a\n", 2), (b"a\nhalf", 2), (b"a\n" + b"x" * 200_000, 2),
     (b"x" * 70_000 + b"\nhalf", 70_001)],
)  # fmt: skip
def test_a_log_file_is_copied_up_to_its_last_whole_line(
    tmp_path: Path, text: bytes, end: int
) -> None:
    log = tmp_path / "orders-1.log"
    log.write_bytes(text)
    copied = copy_log(log, tmp_path / "backup")
    assert copied is not None
    inode, item = copied
    assert (inode, item.size) == (log.stat().st_ino, end)
    assert (tmp_path / "backup" / item.path).read_bytes() == text[:end]
    assert b"".join(blocks(log, 1)) == text[:1]
    log.unlink()
    assert copy_log(log, tmp_path / "backup") is None


def test_a_row_of_hbase_is_its_line() -> None:
    assert to_line(*to_row(LINE)) == LINE
    assert to_row(LINE)[0] == b"7|1554120000000|A-1|1|REFUND"
    assert to_line(*to_row(b"|1554120000000|A-1|1|SALE|3|x|1|0.50|")).endswith(b"|0.50|")


def test_another_zone_or_another_length_of_partitions_is_refused(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    stack = Stack(settings, read_programme(settings.programme))
    mine = replace(manifest(), time_zone=stack.programme.time_zone)
    check_fits(mine, stack)
    with pytest.raises(Refused, match="business dates in Asia/Tokyo"):
        check_fits(replace(mine, time_zone="Asia/Tokyo"), stack)
    with pytest.raises(Refused, match="partitions of 6 hours"):
        check_fits(replace(mine, partition_hours=6), stack)


def test_a_stack_that_does_not_run_is_not_backed_up(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with pytest.raises(Refused, match="kafka, namenode, datanode, flume, streaming are down"):
        demand_running(Stack(settings, read_programme(settings.programme)))


def test_a_stack_with_a_gap_is_repaired_first(tmp_path: Path) -> None:
    places, gap = Places(tmp_path), Gap("t", 0, 5, 9)
    demand_no_gap(places)
    for gaps in ((), (gap,)):
        record = Record(1, 1, "t", {}, {}, {}, Counts(), Counts(), gaps)
        write_progress(places, Standing(0, "t"), record)
        if not gaps:
            demand_no_gap(places)
    with pytest.raises(Refused, match=r"names gaps.*`./loyalty rebuild --repair` closes them"):
        demand_no_gap(places)


def test_a_disk_without_room_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        Refused, match=r"takes 1\.2 EB more, .* left; give a folder on a larger disk"
    ):
        demand_room(tmp_path, 1 << 60)


def test_what_a_disk_cannot_hold_is_not_restored(tmp_path: Path) -> None:
    room = shutil.disk_usage(tmp_path).free
    of_logs = manifest(Item("orders-log/a.log", room * 2 // 3, "", 0))
    with pytest.raises(Refused, match=r"^The restored stack takes .* larger disk"):
        check_room(of_logs, tmp_path / "not" / "there")
    check_room(manifest(Item("hdfs/a", room * 2 // 3, "", 0)), tmp_path)


def test_copies_are_listed_by_their_path(tmp_path: Path) -> None:
    copies = Copies(Hdfs("http://127.0.0.1:1", "root"), tmp_path)
    copies.add("/data/b", iter([b"1"]), 0)
    copies.add("/data/a", iter([b"22"]), 0)
    assert [(item.path, item.size) for item in copies.items] == [
        ("hdfs/data/a", 2),
        ("hdfs/data/b", 1),
    ]
