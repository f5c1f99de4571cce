"""After HDFS had no room the agent's sinks read again what they had written shortly before.

A DataNode that finds no room amid a write gives up to 511 bytes of the block's last chunk, though
it has acknowledged them: a few lines of a raw file, or of HBase's log. The topic still has them.
Raw files are read as a set of lines, and a row of HBase is its line: writing it again is harmless.
"""

from pathlib import Path
from typing import Final

from pipeline.document import replace_file
from pipeline.places import Places
from pipeline.topic import GROUPS, Topic

MARGIN_SECONDS: Final = 180
"""For whoever looked late."""
CHUNK_LINES: Final = 511
"""What the given-up bytes hold at most, of any partition; where little is written they are old."""


def ask_to_rewind(places: Places, since: float) -> None:
    """Let the agent's next start read again; since: when room began to lack, epoch seconds.

    Where that was asked for before and is still to come, the earlier instant stays.
    """
    marker = _marker(places)
    at_ms = int((since - MARGIN_SECONDS) * 1000)
    if marker.exists():
        at_ms = min(at_ms, int(marker.read_text(encoding="ascii")))
    replace_file(marker, str(at_ms).encode())


def rewind(places: Places, topic: Topic) -> int | None:
    """Do what was asked for, once, while no agent runs; gives the instant (epoch ms), or None.

    Raises Unavailable, and is to be called again, while Kafka is away or knows the last agent.
    """
    marker = _marker(places)
    if not marker.exists():
        return None
    at_ms = int(marker.read_text(encoding="ascii"))
    for group in GROUPS:
        topic.rewind(group, at_ms, CHUNK_LINES)
    marker.unlink()
    return at_ms


def _marker(places: Places) -> Path:
    return places.positions.parent / "rewind"
