"""Spark's checkpoint, which only says where to read on; losing it is harmless.

There is one folder for each topic id. A topic made anew, offsets that have expired, or a
checkpoint that is damaged, means a fresh folder: the stream reads from the earliest offset, and
identities are compared.
"""

import json
import logging
import re
import shutil
from pathlib import Path
from typing import Any, Final

log = logging.getLogger(__name__)

_PLAIN: Final = str.maketrans("+/", "-_")
"""A topic id is base64: `/` would be a folder, and Spark takes a URI's `%2B` for its name."""

_OURS: Final = re.compile(r"topic-[A-Za-z0-9_-]{22}")
"""Only such folders are removed: a topic id is 22 letters; what else is there is somebody's."""


def prepare(root: Path, topic: str, topic_id: str, earliest: dict[int, int]) -> Path:
    """Give the folder to start from; what cannot be started from is removed."""
    root.mkdir(parents=True, exist_ok=True)
    folder = root / f"topic-{topic_id.translate(_PLAIN)}"
    for other in root.iterdir():
        if other != folder and _OURS.fullmatch(other.name) and other.is_dir():
            log.warning("Topic %s was made anew: %s is of an earlier one, removed.", topic, other)
            shutil.rmtree(other)
    if folder.exists() and (fault := _fault(folder, topic, earliest)):
        log.warning("%s %s: removed; reading from the earliest offset.", folder, fault)
        shutil.rmtree(folder)
    return folder


def _fault(folder: Path, topic: str, earliest: dict[int, int]) -> str:
    """Say why Spark could not start from a checkpoint; empty where it can."""
    offsets, commits = _batches(folder / "offsets"), _batches(folder / "commits")
    if not offsets:
        return "has no offsets"
    newest = offsets[-1]
    committed = commits[-1] if commits else newest - 1
    if committed not in (newest - 1, newest):
        return "is not whole: its commits and offsets do not fit"
    try:
        ends = [_read_offsets(folder / "offsets" / str(n), topic) for n in offsets[-2:]]
        _read_rest(folder, commits[-1:])
    except (ValueError, KeyError, TypeError, OSError) as error:
        return f"cannot be read ({error!r})"
    # the next batch begins where the last committed one ended
    begins = ends[-1] if committed == newest else ends[0] if len(ends) == 2 else {}
    if any(earliest.get(part, 0) > offset for part, offset in begins.items()):
        return "stands before the earliest offset that the topic still holds"
    return ""


def _read_rest(folder: Path, commits: list[int]) -> None:
    """Read what else Spark reads at its start; it ends for ever at a file that is torn or empty.

    After a power cut a name may be there without its content.
    """
    if (metadata := folder / "metadata").exists():
        json.loads(metadata.read_bytes())["id"]
    for number in commits:
        _read_log(folder / "commits" / str(number))
    for first in (folder / "sources").glob("*/0"):
        # Kafka's source begins its file with a zero byte
        version, offsets = first.read_text(encoding="utf-8").removeprefix("\0").splitlines()
        _demand_version(version)
        json.loads(offsets)


def _read_log(file: Path) -> list[Any]:
    """Read an entry of Spark's logs: its version, then a JSON object a line."""
    version, *lines = file.read_text(encoding="utf-8").splitlines()
    _demand_version(version)
    found = [json.loads(line) for line in lines]
    if not found:
        raise ValueError(f"{file.name} ends after its version")
    return found


def _demand_version(text: str) -> None:
    if text != "v1":
        raise ValueError(f"{text!r} is no version")


def _batches(folder: Path) -> list[int]:
    return sorted(int(f.name) for f in folder.glob("*") if f.name.isdecimal())


def _read_offsets(file: Path, topic: str) -> dict[int, int]:
    """Read the ends of a batch from Spark's offset log: version, metadata, one line a source."""
    _metadata, source = _read_log(file)
    return {int(part): int(offset) for part, offset in source[topic].items()}
