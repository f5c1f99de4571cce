"""Where the readers of log files and topic stand, and where they should get to."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO, Final, NamedTuple

from pipeline.places import Places
from pipeline.positions import read_positions
from pipeline.settings import Settings
from pipeline.topic import GROUPS, Offsets, Topic, has_reached
from streaming.progress import read_progress, worked_at

EXPIRED: Final = "expired.txt"
"""In the folder `run`: the sentence about what expired before Flume's last start, or nothing."""
_BLOCK: Final = 1 << 20


class Reader(NamedTuple):
    """Its positions, the ends that it has to reach, and when it left its last sign of other work
    (epoch seconds; 0: it leaves none).
    """

    at: Offsets
    end: Offsets
    worked_at: float = 0


State = Mapping[str, Reader]
"""By reader's name."""


def flume_state(settings: Settings, tell: Callable[[str], None]) -> State:
    """Look at the agent's two sinks and its source; `tell` gets what is no fault of Flume's."""
    source = Reader(*_source(Places(settings.data), tell))
    return {**sink_state(settings), "the source": source}


def sink_state(settings: Settings, timeout: float = 3) -> State:
    """Look at the agent's two sinks."""
    topic = Topic(settings.kafka, settings.topic, timeout)
    ends = topic.ends()
    return {
        "the HDFS sink": Reader(topic.committed(GROUPS[0]), ends),
        "the HBase sink": Reader(topic.committed(GROUPS[1]), ends),
    }


def stream_state(settings: Settings) -> State:
    """Look at the streaming query."""
    return query_state(settings, Topic(settings.kafka, settings.topic, timeout=3).ends())


def query_state(settings: Settings, ends: Offsets) -> State:
    """Look at the query, whose topic has these ends; while it merges, its offsets stand and its
    signs go on.
    """
    places = Places(settings.data)
    progress = read_progress(places)
    return {"the query": Reader(progress.offsets if progress else {}, ends, worked_at(places))}


def behind(state: State) -> State:
    """Give those readers that have more to read."""
    return {name: one for name, one in state.items() if not has_reached(one.at, one.end)}


def stuck(before: State, now: State) -> list[str]:
    """Name those that are behind, and neither further than they were before nor at other work."""
    was = {name: (one.at, one.worked_at) for name, one in before.items()}
    return [name for name, one in behind(now).items() if was.get(name) == (one.at, one.worked_at)]


def expired_unread(topic: Topic, groups: Iterable[str]) -> dict[str, int]:
    """Give how many lines Kafka has deleted before a group has read them, by group.

    To be asked before the groups' members start: they go on with the oldest line that is held.
    """
    bounds = topic.bounds()
    missing = {}
    for group in groups:
        read = topic.committed(group)
        lines = sum(max(0, bounds[p][0] - offset) for p, offset in read.items() if p in bounds)
        if lines:
            missing[group] = lines
    return missing


def expiry_sentence(missing: Mapping[str, int]) -> str:
    """Say what expired_unread has found; the empty text where it is nothing."""
    if not missing:
        return ""
    counts = " and ".join(f"{lines:,} lines before {group}" for group, lines in missing.items())
    return (
        f"Kafka has deleted {counts} has read them; `./loyalty verify` names those that the log "
        "files have, a greater LOYALTY_TOPIC_RETENTION_DAYS keeps lines longer"
    )


def _source(places: Places, tell: Callable[[str], None]) -> tuple[Offsets, Offsets]:
    """Give how far each order log file was read, and a line's end beyond that it should reach."""
    read = read_positions(places.positions)
    at: dict[str, int] = {}
    ends: dict[str, int] = {}
    for path in places.order_files():
        name = path.name
        try:
            with path.open("rb") as file:
                at[name] = read.get((os.fstat(file.fileno()).st_ino, name), 0)
                file.seek(at[name])
                ends[name] = _end_of_lines(file)
        except OSError as error:  # a till's file that nobody else may read is not Flume's fault
            tell(f"{path} cannot be read ({error.strerror}); its till has to let this user read it")
    return at, ends


def _end_of_lines(file: BinaryIO) -> int:
    """Give where the last line ends in the first block from here on that has a line's end; half a
    line waits: where there is none it is where the file stands.
    """
    begin = file.tell()
    while block := file.read(_BLOCK):
        if (found := block.rfind(b"\n")) >= 0:
            return file.tell() - len(block) + found + 1
    return begin
