"""The hops of a line's path, and how many lines each of them has taken by now."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from cluster.movement import State, query_state, sink_state
from cluster.samples import Memory, growing_lags, rates
from pipeline.places import Places
from pipeline.positions import read_positions
from pipeline.settings import Settings

_MOST_BYTES: Final = 32 << 20
"""What is read in all to count lines; the rest is told from their mean length."""
_BLOCK: Final = 1 << 20


class Hop(NamedTuple):
    """source: the hop that its lines come from. reader: as movement's State has it; reading: the
    name that `status` has for the lag. All empty where there is none.
    """

    title: str
    source: str = ""
    reader: str = ""
    reading: str = ""


HOPS: Final[Mapping[str, Hop]] = {
    "log": Hop("order log"),
    "topic": Hop("topic", "log"),
    "raw": Hop("HDFS raw", "topic", "the HDFS sink", "flume-hdfs"),
    "hbase": Hop("HBase", "topic", "the HBase sink", "flume-hbase"),
    "transactions_cln": Hop("transactions_cln", "topic", "the query", "streaming"),
}
SOURCES: Final = {name: hop.source for name, hop in HOPS.items() if hop.source}


def count_lines(readers: State, places: Places) -> dict[str, int]:
    """Give how many lines each hop has taken, as far as the readers tell; the log has those of the
    topic and what Flume has not read yet.
    """
    found = {}
    for name, hop in HOPS.items():
        if (one := readers.get(hop.reader)) is not None:
            found[name] = sum(min(one.at.get(part, 0), end) for part, end in one.end.items())
            found["topic"] = sum(one.end.values())
    if "topic" in found:
        found["log"] = found["topic"] + unread_lines(places)
    return found


def ask_lines(settings: Settings) -> dict[str, int]:
    """Ask Kafka now; raises Unavailable."""
    sinks = sink_state(settings, timeout=1)
    ends = sinks[HOPS["raw"].reader].end
    return count_lines({**sinks, **query_state(settings, ends)}, Places(settings.data))


def unread_lines(places: Places) -> int:
    """Count the whole lines of the order log that Flume has not taken down as read.

    (It takes down every second how far it is, so up to a second's lines are in the topic already.)
    """
    read = read_positions(places.positions, patience=0.2)
    left, lines, beyond = _MOST_BYTES, 0, 0
    for path in places.order_files():
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                at = read.get((status.st_ino, path.name), 0)
                file.seek(at)
                size = max(status.st_size - at, 0)
                beyond += max(size - left, 0)
                while size and left:
                    block = file.read(min(_BLOCK, size, left))
                    if not block:
                        break
                    lines += block.count(b"\n")
                    size, left = size - len(block), left - len(block)
        except OSError:  # swept meanwhile, or unreadable: `doctor` names such a file
            continue
    return lines + (beyond * lines // _MOST_BYTES if beyond else 0)


def describe_hops(
    memory: Memory, lines: Mapping[str, int], places: Places, now: float
) -> list[dict[str, Any]]:
    """Give of each hop its name, title, rate (lines a second), lag (lines behind where they come
    from), age_seconds (since its newest line came, 10 s more or less) and growing (its lag ten
    minutes ago, where it only grows); None where that is not known.

    lines: as asked now, empty where Kafka did not answer.
    """
    rate = rates(memory.lines, now)
    growing = growing_lags(memory.lines, SOURCES, now)
    newest = memory.lines[-1] if memory.lines else None
    found = []
    for name, hop in HOPS.items():
        moved = memory.moved.get(name)
        if newest and lines.get(name, 0) > newest.values.get(name, lines.get(name, 0)):
            moved = newest.at  # or later
        if name == "log":
            moved = _written_at(places)
        lag = lines[hop.source] - lines[name] if {hop.source, name} <= lines.keys() else None
        found.append({
            "name": name, "title": hop.title,
            "rate": round(rate[name], 3) if name in rate else None,
            "lag": None if lag is None else max(lag, 0),
            "age_seconds": None if moved is None else max(round(now - moved), 0),
            "growing": growing[name][0] if name in growing else None,
        })  # fmt: skip
    return found


def _written_at(places: Places) -> float | None:
    times = [at for path in places.order_files() if (at := _changed(path))]
    return max(times, default=None)


def _changed(path: Path) -> float:
    try:
        status = path.stat()
    except OSError:  # swept meanwhile
        return 0
    return min(status.st_mtime, time.time()) if status.st_size else 0
