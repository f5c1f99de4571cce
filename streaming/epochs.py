"""Where a micro-batch stands: the one after the last, the last one again, or of a new epoch.

An epoch is a time through which offsets went on without a jump; its totals count them. Batch
numbers are Spark's, and begin at 0 with each new checkpoint: an epoch keeps the names apart.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from pipeline.topic import plain_id
from streaming.staging import Counts, Gap, Record

Offsets = dict[int, tuple[int, int]]
"""First and last offset by Kafka partition."""


class Placed(NamedTuple):
    """A batch's record, without counts and moves yet; or, of a rerun, the one that it has."""

    record: Record
    is_rerun: bool


def place(
    last: Record | None,
    highest_epoch: Callable[[], int],
    topic_id: str,
    batch: int,
    offsets: Offsets,
    *,
    is_recounted: bool = False,
) -> Placed:
    """Decide it from the newest complete record; highest_epoch (0: none) is asked if it matters.

    A new epoch begins whenever offsets do not go on where the last record ends: the checkpoint
    was lost, in part or whole, or restored; the topic is another; offsets have expired. A
    partition of the topic that has no line in that batch is handled up to where it was.
    is_recounted: a repair has changed what the last record counted, so nothing is its rerun.
    """
    gaps = _gaps(last, topic_id, offsets)
    handled: dict[int, int] = {}
    appended: dict[int, int] = {}
    reached: dict[int, int] = {}
    if last is not None:
        same_topic = last.topic_id == topic_id
        is_same = same_topic and last.batch == batch and last.offsets == offsets
        if is_same and not is_recounted:
            return Placed(last, is_rerun=True)
        goes_on = all(first == last.next.get(part, 0) for part, (first, _) in offsets.items())
        if same_topic and last.batch < batch and goes_on:
            return Placed(replace(last, batch=batch, offsets=offsets, moves=()), is_rerun=False)
        gaps = last.gaps + gaps
        if same_topic:
            handled = {part: at for part, at in last.next.items() if part not in offsets}
            appended, reached = last.appended, last.reached
    epoch = highest_epoch() + 1
    new = Record(epoch, batch, topic_id, offsets, handled, handled, Counts(), Counts(), gaps)
    return Placed(replace(new, appended=appended, reached=reached), is_rerun=False)


def with_counts(record: Record, counts: Counts) -> Record:
    """Give the record with the batch's counts, and the epoch's totals and offsets up to it."""
    firsts = {part: first for part, (first, _) in record.offsets.items()}
    ends = {part: last + 1 for part, (_, last) in record.offsets.items()}
    return replace(
        record,
        counts=counts,
        totals=record.totals + counts,
        since=firsts | record.since,
        next=record.next | ends,
        reached=record.reached | {p: max(at, record.reached.get(p, 0)) for p, at in ends.items()},
    )


def with_traced(record: Record, traced: Record | None) -> Record:
    """Give the record with how far the topic was read before, which another record knows too."""
    if traced is None or traced.topic_id != record.topic_id:
        return record
    parts = record.reached.keys() | traced.reached
    reached = {p: max(record.reached.get(p, 0), traced.reached.get(p, 0)) for p in parts}
    return replace(record, reached=reached)


def _gaps(last: Record | None, topic_id: str, offsets: Offsets) -> tuple[Gap, ...]:
    """Name what no batch can read any more: expired offsets, also of a partition that was never
    read, and the end of a replaced topic.
    """
    handled: dict[int, int] = {}
    ended: tuple[Gap, ...] = ()
    if last is not None and plain_id(last.topic_id) == plain_id(topic_id):
        handled = last.next  # under another name as well, see streaming.topic_name
    if last is not None and last.topic_id != topic_id:
        ended = tuple(Gap(last.topic_id, part, first, None) for part, first in last.next.items())
    return ended + tuple(
        Gap(topic_id, part, handled.get(part, 0), first - 1)
        for part, (first, _) in offsets.items()
        if handled.get(part, 0) < first
    )
