"""The cut: how far the hops are compared while orders flow, and waiting until they have reached it.

1. Files: each log file's complete lines when verify starts, and no more than Flume's position file
   says has been delivered. The position is written after the topic's acknowledgement, so all of
   these lines are in the topic before
2. its ends, which are asked for next. Of these offsets only those are compared that every reader
   of the topic has finished: the groups of Flume's two sinks have committed them (a sink commits
   after its flush, or its put), and the stream has moved their batch into place.

With a wait both limits are waited for, so that the cut is all that there was at the start. Without
one the cut is what the slowest reader has done, and the report says who is how far behind. Lines
beyond the cut that a hop has already are left out, never called foreign: topic and log files are
read once more, after all the others, up to their ends of then.
"""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pipeline.errors import Unavailable
from pipeline.positions import read_positions
from pipeline.topic import Topic, plain_id
from pipeline.verify.order_log import LogFile, log_files
from pipeline.webhdfs import Hdfs

Note = Callable[[str], None]
Offsets = dict[int, int]

FLUME: Final = "Flume"
READERS: Final = {"flume-hdfs": "HDFS raw", "flume-hbase": "HBase"}
STREAM: Final = "transactions_cln"
_RECORD: Final = "record.json"
_RECOUNTED: Final = "recounted.json"
_BATCH: Final = re.compile(r"(\d{4,})-(\d{9,})")
_POLL_S: Final = 0.3
_NEWS_S: Final = 3


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the cut is read from; readers: consumer group -> hop that it writes."""

    order_log: Path
    positions: Path
    topic: Topic
    hdfs: Hdfs
    staging: str
    readers: dict[str, str] = field(default_factory=READERS.copy)


Span = tuple[dict[int, tuple[int, int]], dict[str, int]]
"""Offsets by partition (first, and the one after the last), and what became of them: the numbers
of lines, clean, duplicates and quarantined."""


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """What the newest batch of the stream whose files are in place says of itself and its epoch."""

    name: str
    topic_id: str
    batch: Span
    epoch: Span

    @property
    def next(self) -> Offsets:
        """Give the offsets after the last ones of the epoch."""
        return {p: after for p, (_, after) in self.epoch[0].items()}


@dataclass(frozen=True, slots=True)
class Cut:
    """Up to where is compared. Offsets are per partition; ends are the offsets after the last.

    files: each with the bytes that are compared. topic_id: as the stream's rows have it.
    held: the first offset that the topic still has. ends: when the cut was made. reached: what
    every reader has done, at most the ends.
    behind: hop -> lines (Flume: bytes) that it had still to take.
    """

    started: datetime
    files: tuple[tuple[LogFile, int], ...]
    topic_id: str
    held: Offsets
    ends: Offsets
    reached: Offsets
    record: StreamRecord | None
    behind: dict[str, int] = field(default_factory=dict)


def find_cut(sources: Sources, wait_s: float | None, note: Note) -> Cut:
    """Make the cut; with wait_s wait at most so many seconds, then raise Unavailable."""
    started = datetime.now(tz=UTC)
    patience = Patience(wait_s, note)
    files = tuple(log_files(sources.order_log))
    delivered = _delivered(files, sources.positions)
    while patience.goes_on(_unread(files, delivered)):
        delivered = _delivered(files, sources.positions)
    flume_behind = _unread(files, delivered)

    topic_id = sources.topic.id()
    bounds = sources.topic.bounds()
    held = {p: first for p, (first, _) in bounds.items()}
    ends = {p: end for p, (_, end) in bounds.items()}
    done, record = _done(sources, topic_id)
    while patience.goes_on(_behind(done, held, ends)):
        done, record = _done(sources, topic_id)
    reached = {
        p: min([end, *(max(offsets.get(p, 0), held[p]) for offsets in done.values())])
        for p, end in ends.items()
    }
    return Cut(
        started=started,
        files=tuple((f, min(f.end, n)) for f, n in zip(files, delivered, strict=True)),
        topic_id=record.topic_id if record else topic_id, held=held, ends=ends, reached=reached,
        record=record, behind=flume_behind | _behind(done, held, ends),
    )  # fmt: skip


def _delivered(files: tuple[LogFile, ...], positions: Path) -> list[int]:
    read = read_positions(positions, patience=5)
    return [read.get((file.inode, file.path.name), 0) for file in files]


def _unread(files: tuple[LogFile, ...], delivered: list[int]) -> dict[str, int]:
    left = sum(max(0, f.end - n) for f, n in zip(files, delivered, strict=True))
    return {FLUME: left} if left else {}


def _done(sources: Sources, topic_id: str) -> tuple[dict[str, Offsets], StreamRecord | None]:
    """Give the offsets that each reader has finished, and the stream's record of this topic."""
    done = {hop: sources.topic.committed(group) for group, hop in sources.readers.items()}
    record = read_record(sources.hdfs, sources.staging)
    if record and plain_id(record.topic_id) != topic_id:
        record = None
    return done | {STREAM: record.next if record else {}}, record


def _behind(done: dict[str, Offsets], held: Offsets, ends: Offsets) -> dict[str, int]:
    lag = {
        hop: sum(max(0, end - max(offsets.get(p, 0), held[p])) for p, end in ends.items())
        for hop, offsets in done.items()
    }
    return {hop: lines for hop, lines in lag.items() if lines}


def read_record(hdfs: Hdfs, staging: str) -> StreamRecord | None:
    """Read the record of the newest batch whose files are all in place; None without one.

    A batch's files have been moved away when its folder EPOCH-BATCH holds the record only. The
    stream removes a folder as soon as a later batch is in place: then it is looked for again.
    """
    for _ in range(10):
        found = [m for m in map(_BATCH.fullmatch, hdfs.names(staging)) if m]
        try:
            for match in sorted(found, key=lambda m: (int(m[1]), int(m[2])), reverse=True):
                folder = f"{staging}/{match.string}"
                names = hdfs.names(folder)
                if names == [_RECORD]:
                    record = _record(match.string, hdfs.read(f"{folder}/{_RECORD}"))
                    return _since_repair(record, hdfs, staging)
        except FileNotFoundError:
            continue
        if all(hdfs.exists(f"{staging}/{match.string}") for match in found):
            return None
    raise Unavailable(f"The stream's records in {staging} change too fast; call verify again.")


def _record(name: str, text: bytes) -> StreamRecord:
    values = json.loads(text)
    batch = {int(p): (first, last + 1) for p, (first, last) in values["offsets"].items()}
    epoch = {int(p): (first, values["next"][p]) for p, first in values["since"].items()}
    return StreamRecord(name, values["topic_id"], (batch, values["counts"]),
                        (epoch, values["totals"]))  # fmt: skip


def _since_repair(record: StreamRecord, hdfs: Hdfs, staging: str) -> StreamRecord:
    """Leave of a record what was counted after a repair had changed rows in its epoch: a line that
    was a row, then lost, was counted again when it came again.
    """
    if _RECOUNTED not in hdfs.names(staging):
        return record
    before = json.loads(hdfs.read(f"{staging}/{_RECOUNTED}"))
    if before["name"].partition("-")[0] != record.name.partition("-")[0]:
        return record
    ranges, totals = record.epoch
    since = {int(p): offset for p, offset in before["next"].items()}
    rest = {p: (max(first, since.get(p, first)), after) for p, (first, after) in ranges.items()}
    left = {name: number - before["totals"][name] for name, number in totals.items()}
    batch = ({}, record.batch[1]) if record.name == before["name"] else record.batch
    return replace(record, batch=batch, epoch=(rest, left))


class Patience:
    """Decides whether to ask again: at once done without a wait, and no longer than it."""

    def __init__(self, wait_s: float | None, note: Note) -> None:
        self._wait_s = wait_s
        self._give_up = time.monotonic() + (wait_s or 0)
        self._note = note
        self._next_news = time.monotonic()

    def goes_on(self, behind: dict[str, int]) -> bool:
        """Pause and give True while a hop is behind; raises Unavailable when time is over."""
        if self._wait_s is None or not behind:
            return False
        text = describe(behind)
        if time.monotonic() > self._give_up:
            raise Unavailable(
                f"The cut was not reached within {self._wait_s:g} s: {text}. `./loyalty status` "
                "shows what stands still; a longer --timeout waits longer."
            )
        if time.monotonic() >= self._next_news:
            self._note(f"waiting: {text}")
            self._next_news = time.monotonic() + _NEWS_S
        time.sleep(_POLL_S)
        return True


def describe(behind: dict[str, int]) -> str:
    """Say who is behind: `HBase has 12 lines to go, Flume has 80 bytes to read`."""
    return ", ".join(
        f"{hop} has {left:,} bytes of the log files to read"
        if hop == FLUME
        else f"{hop} has {left:,} lines to go"
        for hop, left in behind.items()
    )
