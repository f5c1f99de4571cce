"""Counts how often each component ended unasked: what an event listener of supervisord hears.

The protocol is that of supervisor.childutils (READY, an event, RESULT) on stdin and stdout.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from supervisor import childutils


def read_restarts(path: Path) -> dict[str, int]:
    """Give how often each component died since supervisord's start."""
    if not path.exists():
        return {}
    counts = json.loads(path.read_text(encoding="utf-8"))
    return {name: int(entry["restarts"]) for name, entry in counts.items()}


def count_ends(path: Path) -> None:
    """Count until supervisord goes away; the file holds {name: {restarts, at (ISO), event}}."""
    counts: dict[str, dict[str, object]] = {}
    if path.exists():  # this listener has ended and was started again
        counts = json.loads(path.read_text(encoding="utf-8"))
    while True:
        headers, payload = childutils.listener.wait(sys.stdin, sys.stdout)
        event = childutils.get_headers(payload)
        name = event["processname"]
        # an end that was asked for is STOPPED, which we do not listen to
        died = int(str(counts.get(name, {}).get("restarts", 0))) + 1
        counts[name] = {"restarts": died, "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
                        "event": headers["eventname"]}  # fmt: skip
        fresh = path.with_suffix(".tmp")
        fresh.write_text(json.dumps(counts), encoding="utf-8")
        fresh.replace(path)
        childutils.listener.ok(sys.stdout)
