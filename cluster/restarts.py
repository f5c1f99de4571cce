"""Counts how often each component ended unasked, and says why: what supervisord's events tell.

The protocol is that of supervisor.childutils (READY, an event, RESULT) on stdin and stdout.
"""

import re
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from supervisor import childutils

from cluster.startup import read_end
from pipeline.document import read_document, replace_document
from pipeline.places import Places

TOLD_SECONDS: Final = 3600
"""How long `status` says why a component ended."""
_ERROR: Final = re.compile(r"\b(?:ERROR|FATAL)\b|Error\b|Exception\b")
_HEAD: Final = re.compile(r"^[\d\s:,./-]+(?:ERROR|FATAL) ")
"""Of a log line: its time and level."""


def read_restarts(places: Places) -> dict[str, int]:
    """Give how often each component died since supervisord's start."""
    counts = read_document(_file(places)) or {}
    return {name: int(entry["restarts"]) for name, entry in counts.items()}


def read_whys(places: Places, now: float) -> dict[str, str]:
    """Give how a component ended last, where that is not long ago (now: epoch seconds)."""
    counts = read_document(_file(places)) or {}
    return {
        name: entry["why"]
        for name, entry in counts.items()
        if entry.get("why") and now - datetime.fromisoformat(entry["at"]).timestamp() < TOLD_SECONDS
    }


def count_ends(places: Places, killed: dict[str, str]) -> None:
    """Count until supervisord goes away; the file holds {name: {restarts, at (ISO), why}}.

    killed: whom the watcher has killed, and the sentence for it; who has ended is taken out.
    """
    # there are some where this listener has ended and was started again
    counts: dict[str, dict[str, object]] = read_document(_file(places)) or {}
    while True:
        _, payload = childutils.listener.wait(sys.stdin, sys.stdout)
        event = childutils.get_headers(payload)
        name = event["processname"]
        at = datetime.now(tz=UTC).isoformat(timespec="seconds")
        # an end that was asked for is STOPPED, which we do not listen to
        died = int(str(counts.get(name, {}).get("restarts", 0))) + 1
        why = killed.pop(name) if name in killed else describe_end(places, name, at)
        counts[name] = {"restarts": died, "at": at, "why": why}
        with suppress(OSError):  # no room: told with the next end
            replace_document(_file(places), counts)
        childutils.listener.ok(sys.stdout)


def describe_end(places: Places, name: str, at: str) -> str:
    """Give the sentence on an end that nobody asked for, from supervisord's log and its own."""
    # the event does not say how it ended, supervisord's log does, and it is written before
    said = "\n".join(read_end(places.logs / "supervisord.log"))
    found = re.findall(rf"exited: {re.escape(name)} \((exit status|terminated by) (\w+)", said)
    if not found:
        return f"ended by itself at {at}"
    kind, value = found[-1]
    if kind == "terminated by":
        return f"was ended at {at} by {value}, not by the watcher"
    words = _last_error(read_end(places.logs / f"{name}.log")) if value != "0" else ""
    return f"ended by itself at {at} with exit code {value}" + (f": {words}" if words else "")


def _last_error(lines: list[str]) -> str:
    """Give the last error that was logged, without a trace's frames; else the last line."""
    whole = [line for line in lines if line and not line[0].isspace()]
    errors = [line for line in whole if _ERROR.search(line)]
    return _HEAD.sub("", (errors or whole or [""])[-1])[:300]


def _file(places: Places) -> Path:
    return places.run / "restarts.json"
