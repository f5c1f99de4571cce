"""Spark's checkpoint, which only says where to read on; losing it is harmless.

There is one folder for each name of the topic (streaming/topic_name.py). A topic made anew or whose
end went back, offsets that have expired, or a checkpoint that is damaged, means a fresh folder: the
stream reads from the earliest offset, and identities are compared.
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

_OURS: Final = re.compile(r"topic-[A-Za-z0-9_-]{22}(?:\.[0-9]+)?")
"""Only such folders are removed: a topic id is 22 letters; what else is there is somebody's."""


def prepare(root: Path, topic: str, name: str, earliest: dict[int, int]) -> Path:
    """Give the folder to start from; what cannot be started from is removed."""
    folder = _folder(root, name)
    # first of all, for its name tells the next start the topic's
    folder.mkdir(parents=True, exist_ok=True)
    for other in root.iterdir():
        if other != folder and _OURS.fullmatch(other.name) and other.is_dir():
            log.warning(
                "%s is removed: it is of topic %s before that was made anew or lost lines.",
                other, topic,
            )  # fmt: skip
            shutil.rmtree(other)
    if any(folder.iterdir()) and (fault := _fault(folder, topic, earliest)):
        log.warning("%s %s: emptied; reading from the earliest offset.", folder, fault)
        _empty(folder)
    return folder


def forget_offsets(root: Path) -> None:
    """Have the next start of the stream read from the earliest offset; the stream must stand."""
    for folder in root.glob("topic-*"):
        if _OURS.fullmatch(folder.name) and folder.is_dir():
            _empty(folder)


def names(root: Path, topic_id: str) -> list[str]:
    """List the names of a topic that there are folders of."""
    plain = _folder(root, topic_id)
    return [topic_id + one.name.removeprefix(plain.name) for one in root.glob(f"{plain.name}*")
            if re.fullmatch(r"(?:\.[0-9]+)?", one.name.removeprefix(plain.name))]  # fmt: skip


def find_lost(root: Path, topic: str, name: str, ends: dict[int, int]) -> dict[int, int]:
    """Find the partitions whose end (as given, or as Spark has logged it) has gone back; gives the
    end that each had before. Nothing is found where the checkpoint cannot be read.
    """
    folder = _folder(root, name)
    try:
        logged, begins = _last_batch(folder, topic)
    except (ValueError, KeyError, TypeError, OSError):
        return {}
    return {
        part: max(at, begins.get(part, 0))
        for part, at in logged.items()
        if at < begins.get(part, 0) or ends.get(part, at) < at
    }


def _empty(folder: Path) -> None:
    """Remove what is in a folder; its name tells the next start the topic's."""
    for one in folder.iterdir():
        shutil.rmtree(one) if one.is_dir() else one.unlink()


def _folder(root: Path, name: str) -> Path:
    return root / f"topic-{name.translate(_PLAIN)}"


def _last_batch(folder: Path, topic: str) -> tuple[dict[int, int], dict[int, int]]:
    """Read the ends of the newest batch in the log, and of the one before it, which are its begins;
    both are empty where there is none.
    """
    found = [_read_offsets(folder / "offsets" / str(n), topic)
             for n in _batches(folder / "offsets")[-2:]]  # fmt: skip
    return (found[-1] if found else {}), (found[0] if len(found) == 2 else {})


def _fault(folder: Path, topic: str, earliest: dict[int, int]) -> str:
    """Say why Spark could not start from a checkpoint; empty where it can."""
    offsets, commits = _batches(folder / "offsets"), _batches(folder / "commits")
    if not offsets:
        return "has no offsets"
    newest = offsets[-1]
    committed = commits[-1] if commits else newest - 1
    if committed not in (newest - 1, newest):
        return "is not whole: its commits and offsets do not fit"
    if newest > 0 and newest - 1 not in offsets:
        return f"is not whole: it lacks the offsets of batch {newest - 1}"
    try:
        logged, before = _last_batch(folder, topic)
        first = _read_rest(folder, topic, commits[-1:])
    except (ValueError, KeyError, TypeError, OSError) as error:
        return f"cannot be read ({error!r})"
    # the next batch begins where the last committed one ended
    begins = logged if committed == newest else before if newest else first
    if any(earliest.get(part, 0) > offset for part, offset in begins.items()):
        return "stands before the earliest offset that the topic still holds"
    return ""


def _read_rest(folder: Path, topic: str, commits: list[int]) -> dict[int, int]:
    """Read what else Spark reads at its start; it ends for ever at a file that is torn, empty or,
    where it is its metadata, away. Gives the offsets where its first batch began.

    After a power cut a name may be there without its content.
    """
    json.loads((folder / "metadata").read_bytes())["id"]
    for number in commits:
        _read_log(folder / "commits" / str(number))
    begins = {}
    for first in (folder / "sources").glob("*/0"):
        # Kafka's source begins its file with a zero byte
        version, offsets = first.read_text(encoding="utf-8").removeprefix("\0").splitlines()
        _demand_version(version)
        begins = _of_topic(json.loads(offsets), topic)
    return begins


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
    return _of_topic(source, topic)


def _of_topic(source: dict[str, dict[str, int]], topic: str) -> dict[int, int]:
    return {int(part): int(offset) for part, offset in source[topic].items()}
