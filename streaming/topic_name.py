"""By which name rows and records know the topic: its id; ID.2, ID.3, … once it has lost lines.

After a power cut or an unclean election Kafka may lack lines that it had acknowledged, and gives
their offsets to other lines. Topic id, partition and offset would then name two lines. So the topic
is taken for another one, as if it had been made anew: it is read from its earliest offset, and what
is stored already is a duplicate of a row with another origin.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from pipeline.stores.messages import read_messages
from pipeline.topic import Topic, name_number, plain_id
from streaming.checkpoint import find_lost, names
from streaming.staging import Record

Bounds = dict[int, tuple[int, int]]
"""By partition: the first offset that the topic still holds, and the one of its next line."""
AskTimes = Callable[[dict[int, int]], dict[int, int]]
"""Gives by partition when the line at an offset was appended (epoch milliseconds)."""

log = logging.getLogger(__name__)


def find_name(
    root: Path, topic: str, topic_id: str, last: Record | None, bounds: Bounds, *, ask: AskTimes
) -> str:
    """Give the topic's name. root: of the checkpoints; last: the newest record, or what the tables
    tell instead of it (streaming/traces.py).
    """
    known = {topic_id, *names(root, topic_id)}
    if last is not None and plain_id(last.topic_id) == topic_id:
        known.add(last.topic_id)
    newest = max(known, key=name_number)
    lost = find_lost(root, topic, newest, {part: end for part, (_, end) in bounds.items()})
    if last is not None and last.topic_id == newest:
        lost |= lost_lines(last, bounds, ask)
    if not lost:
        return newest
    following = f"{topic_id}.{name_number(newest) + 1}"
    where = ", ".join(f"partition {p}, which was read to {at:,}" for p, at in sorted(lost.items()))
    log.error(
        "Kafka has lost lines of topic %s that it had acknowledged (%s): the topic is read again "
        "from its earliest offset, as %s; `./loyalty rebuild --repair` brings back from HDFS raw "
        "what the stream had not read.", topic, where, following,
    )  # fmt: skip
    return following


def append_times(topic: Topic, at: dict[int, int]) -> dict[int, int]:
    """Ask the topic when it got the line at an offset of each partition; see AskTimes."""
    after = {part: offset + 1 for part, offset in at.items()}
    return {
        row["p"]: row["ts"]
        for some in read_messages(topic, at, after, at_once=1)
        for row in some.to_pylist()
    }


def lost_lines(last: Record, bounds: Bounds, ask: AskTimes) -> dict[int, int]:
    """Find the partitions that end before what was read, or have another line at its end by now;
    gives to where each was read. last: a record of the topic under its present name.
    """
    ends = {part: (after, bounds[part]) for part, after in last.next.items() if part in bounds}
    lost = {part: after for part, (after, (_, end)) in ends.items() if end < after}
    there = {part: after - 1 for part, (after, (first, end)) in ends.items()
             if first < after <= end and part in last.appended}  # fmt: skip
    for part, appended in ask(there).items() if there else ():
        if appended != last.appended[part]:
            lost[part] = last.next[part]
    return lost
