"""Takes a backup out of a running stack: tills write on, Flume and the stream pause at the end.

The pause makes it exact. While Flume stands, its position file says which bytes of the order log
files are in the topic; when the stream has read the topic to its end, the clean tables have all of
these, and HDFS raw lacks at most what the topic has beyond the offsets that Flume's sink committed:
that is added to the copy. So raw, tables and positions of a backup say the same.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.filesize import decimal

from backup.copies import Copies
from backup.manifest import LOCAL, LOGS, Item, Manifest, blocks, store, write_manifest
from batch.pause import paused
from cluster.retention import on_disk
from cluster.stack import Stack
from cluster.stamp import read_stamp
from pipeline.errors import LoyaltyError, Refused, Unavailable
from pipeline.lock import only_one
from pipeline.places import LOYALTY, RAW, Places
from pipeline.positions import read_positions
from pipeline.programme import calendar
from pipeline.stores.messages import read_messages
from pipeline.topic import GROUPS, Topic, has_reached
from pipeline.webhdfs import Hdfs, superuser_of
from producer.growing import last_line_end
from streaming.progress import read_progress, worked_at

DOING: Final = "A `backup`"
PATIENCE_SECONDS: Final = 180
"""How long the stream may show no sign of work before it has read the topic to its end."""
RAW_GROUP: Final = GROUPS[0]


@dataclass(frozen=True, slots=True)
class Told:
    """Whom to tell: sentences; how many bytes more there are to copy; how many were copied."""

    sentence: Callable[[str], None] = lambda _: None
    begun: Callable[[int], None] = lambda _: None
    done: Callable[[int], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it. paused: seconds for which Flume or the stream stood."""

    manifest: Manifest
    paused: float


def take_backup(stack: Stack, folder: Path, told: Told) -> Taken:
    """Take a backup into a new folder; what is broken off leaves none.

    Raises Refused where the stack does not run whole or the stream has left a gap, where the folder
    has something in it, is in the data folder, or has too little room, and while an `up`, a
    `rebuild` or a load of customers runs; Unavailable where a server goes away.
    """
    check_apart(folder, stack.settings.data)
    demand_running(stack)
    demand_no_gap(stack.places)
    logs, _ = on_disk(stack.places.order_files())

    def begin(size: int) -> None:
        demand_room(folder, size + (logs or 0))
        told.begun(size)

    with new_folder(folder):
        copies = Copies(superuser_of(stack.settings), folder)
        copies.take(begin, told.done, is_last=False)
        with (
            only_one(stack.places.run / "rebuild.lock", DOING),
            only_one(stack.places.run / "customers.lock", DOING),
            only_one(stack.places.run / "up.lock", DOING),
        ):
            told.sentence("Flume and the stream pause; tills write on …")
            begun = time.monotonic()
            with paused(stack.supervisor, "flume"):
                ends = await_stream(stack)
                demand_no_gap(stack.places)
                with paused(stack.supervisor, "streaming"):
                    copies.take(begin, told.done, is_last=True)
                    manifest = _copy_rest(stack, folder, copies, ends)
            seconds = time.monotonic() - begun
        write_manifest(folder, manifest)
    return Taken(manifest, seconds)


def check_apart(folder: Path, data: Path) -> None:
    """Refuse a backup's folder in the data folder, which `down --purge` removes, or above it."""
    if folder.is_relative_to(data) or data.is_relative_to(folder):
        raise Refused(
            f"{folder} and the data folder {data} lie one in the other, and a backup has to outlive"
            " the data folder; give a folder elsewhere, or another LOYALTY_DATA."
        )


def demand_room(folder: Path, size: int, what: str = "The backup") -> None:
    """Raise Refused where the disk of a folder has no room for so many bytes more."""
    if (free := shutil.disk_usage(folder).free) < size:
        raise Refused(
            f"{what} takes {decimal(size)} more, and the disk of {folder} has {decimal(free)}"
            " left; give a folder on a larger disk, or make room on this one."
        )


def demand_running(stack: Stack) -> None:
    """Raise Refused unless everything runs that has to have the last line."""
    processes = stack.supervisor.processes()
    names = ("kafka", "namenode", "datanode", "flume", "streaming")
    needed = [name for name in names if name in stack.own]
    if missing := [n for n in needed if n not in processes or not processes[n].pid]:
        raise Refused(
            f"A backup is taken out of a running stack, and {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} down; `./loyalty up` first."
        )


def demand_no_gap(places: Places) -> None:
    """Raise Refused where the tables lack what only a rebuild brings back: the restored stack, with
    another topic, would not know of it, and might delete the raw files that have it.
    """
    progress = read_progress(places)
    if progress is not None and progress.gaps:
        raise Refused(
            "`./loyalty status` names gaps, which a backup would forget; `./loyalty rebuild"
            " --repair` closes them, then back up."
        )


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make a folder, or take an empty one; what it holds is removed again when the body fails.

    What the body makes, only its owner can read.
    """
    was_there = folder.exists()
    if was_there and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is there already and not empty; give a new folder.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    others = os.umask(0o077)
    try:
        yield
    except BaseException:
        for path in folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        if not was_there:
            folder.rmdir()
        raise
    finally:
        os.umask(others)


def await_stream(stack: Stack) -> dict[int, int]:
    """Wait until the stream has read the topic, to which nobody adds, to its end; give that."""
    begun = time.time()
    topic = Topic(stack.settings.kafka, stack.settings.topic)
    topic_id, bounds = topic.id(), topic.bounds()
    ends = {part: last for part, (_, last) in bounds.items()}
    left = {part: last for part, (first, last) in bounds.items() if first < last}
    while True:
        progress = read_progress(stack.places)
        if (
            progress is not None
            and progress.topic_id == topic_id
            and has_reached(progress.offsets, left)
        ):
            return ends
        if time.time() > max(begun, worked_at(stack.places)) + PATIENCE_SECONDS:
            raise Unavailable(
                f"The stream does not read the topic to its end, for {PATIENCE_SECONDS} s now; "
                "`./loyalty status` shows what stands still. Nothing was kept of the backup."
            )
        time.sleep(0.2)


def _copy_rest(stack: Stack, folder: Path, copies: Copies, ends: dict[int, int]) -> Manifest:
    """Copy what is not on HDFS, where nobody writes now."""
    _add_rest_of_topic(stack, copies, ends)
    places = stack.places
    delivered = read_positions(places.positions, patience=5)
    positions, items = {}, copies.items
    for path in places.order_files():
        if (copied := copy_log(path, folder)) is not None:
            inode, item = copied
            positions[path.name] = min(delivered.get((inode, path.name), 0), item.size)
            items.append(item)
    for path in sorted(path for pattern in LOCAL for path in places.data.glob(pattern)):
        name = str(path.relative_to(places.data))
        items.append(store(folder, name, blocks(path), path.stat().st_mtime))
    programme = stack.settings.programme
    items.append(store(folder, "programme.toml", blocks(programme), programme.stat().st_mtime))
    stamp = read_stamp(stack.settings)
    if stamp is None:
        raise LoyaltyError(f"{places.data} has lost its stamp; `./loyalty up` says more.")
    return Manifest(
        made=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        time_zone=stamp.time_zone,
        partition_hours=stamp.partition_hours,
        begun=stamp.begun,
        customers_loaded=places.customers_loaded.exists(),
        positions=positions,
        snapshots=snapshots(superuser_of(stack.settings)),
        items=items,
    )


def copy_log(path: Path, folder: Path) -> tuple[int, Item] | None:
    """Copy an order log file's whole lines; gives its inode too, None where it has just gone.

    It may grow meanwhile, and only grows.
    """
    try:
        with path.open("rb") as file:
            end, status = last_line_end(file.fileno()), os.fstat(file.fileno())
        item = store(folder, f"{LOGS}/{path.name}", blocks(path, end), status.st_mtime)
    except FileNotFoundError:
        return None
    return status.st_ino, item


def snapshots(hdfs: Hdfs) -> list[str]:
    """List the dates of `loyalty`, which a restore makes anew."""
    prefix = "data_dt="
    return sorted(n.removeprefix(prefix) for n in hdfs.names(LOYALTY) if n.startswith(prefix))


def _add_rest_of_topic(stack: Stack, copies: Copies, ends: dict[int, int]) -> None:
    """Add what the topic has and raw may lack: beyond what Flume's sink has committed."""
    topic = Topic(stack.settings.kafka, stack.settings.topic)
    committed, bounds = topic.committed(RAW_GROUP), topic.bounds()
    start = {part: max(committed.get(part, 0), first) for part, (first, _) in bounds.items()}
    if all(start[part] >= end for part, end in ends.items()):
        return
    today, now = calendar(stack.programme).today(), time.time()
    lines = (
        line + b"\n"
        for table in read_messages(topic, start, ends)
        for line in table["line"].to_pylist()
    )
    copies.add(f"{RAW}/dt={today}/orders.rest-{int(now * 1000)}.log", lines, now)
