"""A batch on its way into the tables: staged whole, complete by one rename, finished by moves.

    staging/EPOCH-BATCH.….tmp   is being written; worthless after a crash
    staging/EPOCH-BATCH         complete: whatever happens, its files get to their places

The record stays, in the emptied folder, until a later batch is complete. It tells a rerun of the
same batch from another batch, and its totals are what `verify` compares.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from typing import Any, Final, Self, TypeVar

from pipeline.errors import LoyaltyError
from pipeline.generations import attempt, highest, number_of
from pipeline.webhdfs import Hdfs

RECORD: Final = "record.json"
CLOSED_GAPS: Final = "repaired.json"
"""In staging: the gaps that a repair from all of HDFS raw has closed."""
RECOUNTED: Final = "recounted.json"
"""In staging: the record up to which a repair has changed rows, so that its counts are history."""
REQUESTS_AT_ONCE: Final = 8
HELD_BYTES: Final = 8 << 20
"""Files are written side by side once they weigh so much: no more of a batch is held."""
T = TypeVar("T")

log = logging.getLogger(__name__)

_FOLDER: Final = re.compile(r"(\d{4,})-(\d{9,})")


def batch_name(epoch: int, batch: int) -> str:
    """Give EPOCH-BATCH, what a staged batch's folder and all its files begin with."""
    return f"{epoch:04}-{batch:09}"


@dataclass(frozen=True, slots=True)
class Counts:
    """Lines of the topic and what became of them: lines = clean + duplicates + quarantined."""

    lines: int = 0
    clean: int = 0
    duplicates: int = 0
    quarantined: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        mine, others = asdict(self), asdict(other)
        return Counts(**{name: mine[name] + others[name] for name in mine})


@dataclass(frozen=True, slots=True)
class Move:
    """One file's way: its name in the staged folder, and its path in the table."""

    name: str
    target: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Offsets of a topic that the stream never saw; last is None where nobody can tell.

    Only a rebuild from HDFS raw brings back what was there.
    """

    topic_id: str
    partition: int
    first: int
    last: int | None


@dataclass(frozen=True, slots=True)
class Record:
    """What one batch did. Partitions and offsets are Kafka's, both ends included.

    offsets: (first, last) of the batch. since: the epoch's first offset. next: the offset after
    the last one read in this epoch. appended: when the broker got the line before `next` (epoch
    milliseconds), which tells it from another that may have got its offset. reached: the offset
    after the last one that was ever read of the topic, in any epoch. totals: of the epoch,
    so of the offsets from since to next. reasons: of the batch's quarantined lines that were
    read for the first time.
    """

    epoch: int
    batch: int
    topic_id: str
    offsets: dict[int, tuple[int, int]]
    since: dict[int, int]
    next: dict[int, int]
    counts: Counts
    totals: Counts
    gaps: tuple[Gap, ...] = ()
    moves: tuple[Move, ...] = field(default=())
    reasons: dict[str, int] = field(default_factory=dict)
    appended: dict[int, int] = field(default_factory=dict)
    reached: dict[int, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of its folder: EPOCH-BATCH."""
        return batch_name(self.epoch, self.batch)

    def to_json(self) -> bytes:
        """Give the record's file."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Read the record's file."""
        values: dict[str, Any] = json.loads(text)
        return cls(
            epoch=values["epoch"],
            batch=values["batch"],
            topic_id=values["topic_id"],
            offsets={int(p): (first, last) for p, (first, last) in values["offsets"].items()},
            since={int(p): offset for p, offset in values["since"].items()},
            next={int(p): offset for p, offset in values["next"].items()},
            counts=Counts(**values["counts"]),
            totals=Counts(**values["totals"]),
            gaps=tuple(Gap(**gap) for gap in values["gaps"]),
            moves=tuple(Move(**move) for move in values["moves"]),
            reasons=values.get("reasons", {}),
            appended={int(p): at for p, at in values.get("appended", {}).items()},
            reached={int(p): at for p, at in values.get("reached", values["next"]).items()},
        )


def stage(hdfs: Hdfs, staging: str, record: Record, contents: Iterable[bytes]) -> str:
    """Write a batch's files, in the order of record.moves, and its record to a folder; gives it.
    Contents are taken as they are needed.
    """
    folder = attempt(staging, record.name)
    names = [*(move.name for move in record.moves), RECORD]
    files = zip(names, chain(contents, [record.to_json()]), strict=True)
    for some in _held(files):
        _side_by_side(lambda file: hdfs.write(f"{folder}/{file[0]}", file[1]), some)
    return folder


def complete(hdfs: Hdfs, staged: str, staging: str, record: Record) -> None:
    """Make a staged batch the truth, by one rename of its folder."""
    hdfs.rename(staged, f"{staging}/{record.name}")


def finish_fresh(hdfs: Hdfs, staging: str, record: Record) -> None:
    """Move the files of a batch that this process has just completed, each of which must be there.

    Raises LoyaltyError where one is not: somebody else works in staging. The batch is taken back
    then, and has to be computed again from its lines, which are still at hand.
    """
    folder = f"{staging}/{record.name}"
    if missing := {move.name for move in record.moves} - set(hdfs.names(folder)):
        hdfs.delete(folder)
        raise LoyaltyError(
            f"Somebody removed {', '.join(sorted(missing))} from batch {record.name} before it was"
            " in place; it is computed again."
        )
    _move(hdfs, folder, record.moves)


def finish(hdfs: Hdfs, staging: str, record: Record) -> None:
    """Move a complete batch's files to their places; those that are there already stay.

    A file that is in neither place was removed by somebody. Stopping would not bring it back, so
    that is logged, and `verify` names its lines.
    """
    folder = f"{staging}/{record.name}"
    waiting = set(hdfs.names(folder))
    to_move = [move for move in record.moves if move.name in waiting]
    _move(hdfs, folder, to_move)
    for move in set(record.moves) - set(to_move):
        if not hdfs.exists(move.target) and not _was_merged(hdfs, move.target):
            log.error(
                "%s is missing on HDFS although batch %s was complete: somebody removed it; "
                "`./loyalty verify` names its lines.", move.target, record.name,
            )  # fmt: skip


def _move(hdfs: Hdfs, folder: str, moves: Sequence[Move]) -> None:
    _side_by_side(hdfs.make_folder, {_parent(move.target) for move in moves})
    _side_by_side(lambda move: hdfs.rename(f"{folder}/{move.name}", move.target), moves)


def forget_older(hdfs: Hdfs, staging: str, record: Record) -> None:
    """Remove what is left of the batches before a complete one."""
    for name in hdfs.names(staging):
        if (read := _FOLDER.fullmatch(name)) and _at(read) < (record.epoch, record.batch):
            hdfs.delete(f"{staging}/{name}")


def records(hdfs: Hdfs, staging: str) -> list[Record]:
    """Read the records of all complete batches that are still there, the newest last."""
    found = sorted(filter(None, map(_FOLDER.fullmatch, hdfs.names(staging))), key=_at)
    return [Record.from_json(hdfs.read(f"{staging}/{m.string}/{RECORD}")) for m in found]


def drop_unfinished(hdfs: Hdfs, staging: str) -> None:
    """Remove what a killed driver was still staging, and an emptied folder whose record somebody
    has removed: what it told, an epoch more tells anew.

    Raises LoyaltyError for one that has files and no record: they are nobody's.
    """
    for name in hdfs.names(staging):
        folder = f"{staging}/{name}"
        if name.endswith(".tmp"):
            hdfs.delete(folder)
        elif _FOLDER.fullmatch(name) and RECORD not in (inside := hdfs.names(folder)):
            if inside:
                raise LoyaltyError(
                    f"{folder} has files and no {RECORD}: move it elsewhere on HDFS, then "
                    "`./loyalty rebuild --repair` brings back the rows that it had."
                )
            log.error("%s has lost its record and is removed; a new epoch begins.", folder)
            hdfs.delete(folder)


def mark_recounted(hdfs: Hdfs, staging: str, record: Record) -> None:
    """Take down, before it does, that a repair changes what the record's totals counted: `verify`
    compares what comes after it, and the batch is no rerun where Spark gives it again.
    """
    after = {"name": record.name, "next": record.next, "totals": asdict(record.totals)}
    hdfs.replace(f"{staging}/{RECOUNTED}", json.dumps(after).encode())


def recounted(hdfs: Hdfs, staging: str) -> str | None:
    """Give the name of the record that a repair was made after, if there was one."""
    if RECOUNTED not in hdfs.names(staging):
        return None
    return str(json.loads(hdfs.read(f"{staging}/{RECOUNTED}"))["name"])


def close_gaps(hdfs: Hdfs, staging: str, record: Record) -> None:
    """Take down that a repair has brought back what HDFS raw has of a record's gaps. The stream
    reads it at its start; it must stand.
    """
    closed = [*_closed(hdfs, staging), *record.gaps]
    if record.gaps:
        gaps = [asdict(gap) for gap in dict.fromkeys(closed)]
        hdfs.replace(f"{staging}/{CLOSED_GAPS}", json.dumps(gaps).encode())


def without_closed(hdfs: Hdfs, staging: str, record: Record) -> Record:
    """Give the record without the gaps that were closed since it was written."""
    if not record.gaps:
        return record
    closed = _closed(hdfs, staging)
    return replace(record, gaps=tuple(gap for gap in record.gaps if gap not in closed))


def _closed(hdfs: Hdfs, staging: str) -> list[Gap]:
    if CLOSED_GAPS not in hdfs.names(staging):
        return []
    return [Gap(**gap) for gap in json.loads(hdfs.read(f"{staging}/{CLOSED_GAPS}"))]


def _held(files: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Give files (name, content), as many at a time as weigh HELD_BYTES."""
    some: list[tuple[str, bytes]] = []
    for file in files:
        some.append(file)
        if sum(len(content) for _, content in some) >= HELD_BYTES:
            yield some
            some = []
    if some:
        yield some


def _side_by_side(action: Callable[[T], None], things: Iterable[T]) -> None:
    """Do it for each, some at once: a request to HDFS is mostly waiting. All must succeed."""
    with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
        list(pool.map(action, things))


def _at(name: re.Match[str]) -> tuple[int, int]:
    return int(name[1]), int(name[2])


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _was_merged(hdfs: Hdfs, target: str) -> bool:
    """Tell whether the partition has a later generation than the one that the file went to."""
    folder = _parent(target)
    return highest(hdfs, _parent(folder)) > number_of(folder)
