"""What nobody needs any more and no server removes by itself; the watcher looks for it hourly."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pipeline.places import RAW, Places
from pipeline.programme import read_programme
from pipeline.raw import begin_at, dates
from pipeline.settings import Settings
from pipeline.topic import Topic
from pipeline.webhdfs import Hdfs
from streaming.progress import Progress, read_progress

TEZ: Final = "_tez_session_dir"
"""A folder for each life of HiveServer2, and one more of that name with RESOURCES."""
RESOURCES: Final = "-resources"
Status = dict[str, Any]
_HOUR_S = 3600


def remove_leftovers(settings: Settings, hdfs: Hdfs, now: float, today: date) -> Iterator[str]:
    """Remove what is over, and say of each thing that it is gone. hdfs: as the superuser.

    now: epoch seconds; today: in programme time. Raises Unavailable while HDFS or Kafka is away.
    """
    places = Places(settings.data)
    if "hive" not in settings.given:
        yield from _forget_sessions(places, hdfs, now - settings.hive_scratch_hours * _HOUR_S)
    first = today - timedelta(days=settings.raw_retention_days)
    if settings.raw_retention_days and has_read(places, settings, first):
        for path in forget_raw(hdfs, first):
            yield f"{path} is deleted: the retention of HDFS raw is over"


def _forget_sessions(places: Places, hdfs: Hdfs, oldest: float) -> Iterator[str]:
    for path in old_sessions(hdfs, oldest, str(places.scratch)):
        hdfs.delete(path)
        yield f"{path} on HDFS is deleted: its session is over"
    # Tez has a folder here for each life of HiveServer2; the newest is in use
    lives = sorted(places.scratch.glob(f"*/{TEZ}/*"), key=lambda path: path.stat().st_mtime)
    for folder in (places.hive / "local", places.hive / "resources", *lives[:-1]):
        for left in old_files(folder, oldest):
            remove(left)
            yield f"{left} is deleted: its session is over"
    for folder in lives[:-1]:
        with suppress(OSError):  # what is in it is not old yet
            folder.rmdir()


def old_sessions(hdfs: Hdfs, oldest: float, root: str) -> Iterator[str]:
    """Give the scratch folders of Hive's sessions in which nothing has changed since `oldest`."""
    for user in hdfs.names(root):
        home = f"{root}/{user}"
        found = [(f"{home}/{name}", status) for name, status in hdfs.statuses(home) if name != TEZ]
        for path, status in [*found, *_ended_lives(hdfs, f"{home}/{TEZ}")]:
            times = [status, *(inner for _, inner in hdfs.statuses(path))]
            if max(s["modificationTime"] for s in times) < oldest * 1000:
                yield path


def _ended_lives(hdfs: Hdfs, home: str) -> list[tuple[str, Status]]:
    """Give HiveServer2's own folders for Tez but those of its newest life, which is in use."""
    lives = sorted(hdfs.statuses(home), key=lambda one: one[1]["modificationTime"])
    newest = lives[-1][0].removesuffix(RESOURCES) if lives else ""
    return [(f"{home}/{n}", s) for n, s in lives if n.removesuffix(RESOURCES) != newest]


def old_files(folder: Path, oldest: float) -> list[Path]:
    """List what lies in a folder and has not changed since `oldest` (epoch seconds)."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if max(p.lstat().st_mtime for p in (path, *_inside(path))) < oldest
    ]


def _inside(path: Path) -> list[Path]:
    return list(path.iterdir()) if path.is_dir() and not path.is_symlink() else []


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def has_read(places: Places, settings: Settings, first: date) -> bool:
    """Tell whether transactions_cln needs nothing of HDFS raw that arrived before a date. Raises
    Unavailable while Kafka is away.
    """
    zone = ZoneInfo(read_programme(settings.programme).time_zone)
    # the clock of the broker may be ahead of the agent's, whose dates raw has
    begins = datetime.combine(first + timedelta(days=1), time.min, zone).timestamp()
    topic = Topic(settings.kafka, settings.topic)
    ends = {part: end for part, (_, end) in topic.bounds().items()}
    return is_in_order(read_progress(places), topic.id(), ends, begins)


def is_in_order(
    progress: Progress | None, topic_id: str, ends: dict[int, int], first: float
) -> bool:
    """Tell whether the stream has read every line of this topic that came before an instant (epoch
    seconds), and has left no gap that only a rebuild can close. ends: of the topic, by partition.
    """
    if progress is None or progress.gaps or progress.topic_id != topic_id:
        return False
    behind = [part for part, end in ends.items() if progress.offsets.get(part, 0) < end]
    return all(progress.appended.get(part, 0) >= first * 1000 for part in behind)


def forget_raw(hdfs: Hdfs, first: date, root: str = RAW) -> Iterator[str]:
    """Delete whole dates of arrival before the first that is kept, and give their folders.

    First it is written down that raw begins there: from then on a rebuild keeps to what is whole.
    """
    old = [day for day in dates(hdfs, root) if day < first]
    if not old:
        return
    begin_at(hdfs, first, root)
    for day in old:
        hdfs.delete(f"{root}/dt={day}")
        yield f"{root}/dt={day}"
