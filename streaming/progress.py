"""What the stream has done, in a small file that `status` and the start read."""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from pipeline.document import read_document, replace_document
from pipeline.places import Places
from pipeline.topic import plain_id
from streaming.staging import Counts, Gap, Record

HOUR_SECONDS: Final = 3600
DAY_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class OpenPartition:
    """A partition whose date goes on (`odr_dt=…/odr_hr=…`), its files, and its generation."""

    table: str
    partition: str
    files: int
    generation: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What the stream's process knows besides its last batch; see Progress. topic_id: as records
    have it.
    """

    started_at: float
    topic_id: str
    open_partitions: tuple[OpenPartition, ...] = ()
    swept: str | None = None


@dataclass(frozen=True, slots=True)
class Hour:
    """What the batches of one hour read for the first time; number: of the hour since the epoch
    (UTC). lines: of Kafka. reasons: of the quarantined ones.
    """

    number: int
    lines: int
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """Times in epoch seconds (UTC); the rest is that of the newest batch, if there is one.

    offsets: the next offset by Kafka partition; appended: when the broker got the line before it
    (epoch milliseconds). totals: of the epoch. gaps: what only a rebuild
    brings back. swept: the programme date (ISO) since which closed partitions are merged. hours:
    of the last 24 that began, and of the one before; hours without a batch are left out. reached:
    the offset, by Kafka partition of the topic reached_of (as records have it), after the last line
    that was ever read: what is read again does not count in its hour.
    """

    started_at: float
    at: float
    epoch: int | None
    batch: int | None
    topic_id: str
    offsets: dict[int, int]
    totals: Counts
    gaps: tuple[Gap, ...]
    open_partitions: tuple[OpenPartition, ...] = ()
    swept: str | None = None
    hours: tuple[Hour, ...] = ()
    appended: dict[int, int] = field(default_factory=dict)
    reached_of: str | None = None
    reached: dict[int, int] = field(default_factory=dict)


def progress_file(places: Places) -> Path:
    """Where it is kept."""
    return places.run / "stream.json"


def write_progress(places: Places, standing: Standing, last: Record | None) -> None:
    """Replace the file as a whole; the record's offsets count for the very topic only."""
    topic_id, now = standing.topic_id, time.time()
    before = read_progress(places)
    reached, after = _reached(before, last), last.next if last else {}
    document = Progress(
        started_at=standing.started_at,
        at=now,
        epoch=last.epoch if last else None,
        batch=last.batch if last else None,
        topic_id=plain_id(topic_id),
        offsets=last.next if last and last.topic_id == topic_id else {},
        totals=last.totals if last else Counts(),
        gaps=last.gaps if last else (),
        open_partitions=standing.open_partitions,
        swept=standing.swept,
        hours=_hours(before, last, reached, int(now // HOUR_SECONDS)),
        appended=last.appended if last and last.topic_id == topic_id else {},
        reached_of=last.topic_id if last else None,
        reached=reached | {part: max(at, reached.get(part, 0)) for part, at in after.items()},
    )
    replace_document(progress_file(places), asdict(document))


def _reached(before: Progress | None, last: Record | None) -> dict[int, int]:
    """Give how far the topic of a record was read before it."""
    same = before is not None and last is not None and before.reached_of == last.topic_id
    return before.reached if before is not None and same else {}


def _hours(
    before: Progress | None, last: Record | None, reached: dict[int, int], hour: int
) -> tuple[Hour, ...]:
    """Add a batch to its hour, once: the same record is told again after a merge or a start. Lines
    up to `reached` were counted when they were read first.
    """
    hours = {one.number: one for one in (before.hours if before else ())}
    known = (before.epoch, before.batch) if before else (None, None)
    if last is not None and (last.epoch, last.batch) != known:
        mine = hours.get(hour, Hour(hour, 0, {}))
        lines = sum(
            max(0, end - max(first, reached.get(part, 0)) + 1)
            for part, (first, end) in last.offsets.items()
        )
        reasons = Counter(mine.reasons) + Counter(last.reasons)
        hours[hour] = Hour(hour, mine.lines + lines, dict(reasons))
    return tuple(hours[number] for number in sorted(hours) if hour - number <= DAY_HOURS)


def last_day(progress: Progress, now: float) -> Hour:
    """Give the sums of the last 24 hours that began before now (epoch seconds), and the one under
    way, as of its number.
    """
    hour = int(now // HOUR_SECONDS)
    of_the_day = [one for one in progress.hours if 0 <= hour - one.number <= DAY_HOURS]
    reasons: Counter[str] = Counter()
    for one in of_the_day:
        reasons.update(one.reasons)
    return Hour(hour, sum(one.lines for one in of_the_day), dict(reasons))


def stamp_work(places: Places) -> None:
    """Leave a sign, the file's time, that the stream works although it reads no further."""
    progress_file(places).touch()


def worked_at(places: Places) -> float:
    """Give when the stream left its last sign of work (epoch seconds), 0 before the first."""
    try:
        return progress_file(places).stat().st_mtime
    except FileNotFoundError:
        return 0


def read_progress(places: Places) -> Progress | None:
    """Read the file; None where the stream has never started, or the file is torn or of another
    form: it repeats what staging's record says, and the next batch writes it again.
    """
    if (values := read_document(progress_file(places))) is None:
        return None
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        return _progress(values)
    return None


def _progress(values: dict[str, Any]) -> Progress:
    return Progress(
        **values
        | {
            "offsets": {int(part): offset for part, offset in values["offsets"].items()},
            "appended": {int(part): at for part, at in values.get("appended", {}).items()},
            "totals": Counts(**values["totals"]),
            "gaps": tuple(Gap(**gap) for gap in values["gaps"]),
            "open_partitions": tuple(
                OpenPartition(**one) for one in values.get("open_partitions", ())
            ),
            # those of another form are of a version before
            "hours": tuple(Hour(**one) for one in values.get("hours", ()) if "lines" in one),
            "reached": {int(part): at for part, at in values.get("reached", {}).items()},
        }
    )
