"""Every run of the refresh, a line each in DATA/refreshes.jsonl; and the schedule's next one.

Whoever appends holds the refresh's lock. A kill tears at most the last line, which the next run
closes and readers leave out; beyond 10,000 lines the older half goes.
"""

import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from pipeline.document import read_document, replace_file
from pipeline.places import Places

Reason = Literal["by hand", "start", "scheduled", "nightly"]
MOST_LINES: Final = 10_000
_TAIL_BYTES: Final = 256 << 10
"""What `status` reads: with the usual interval more than a day of runs."""
QUIET_SECONDS: Final = 30
"""A schedule that has said nothing for so long does not work: it does every ten seconds."""


@dataclass(slots=True)
class Run:
    """A run. at: when it began (ISO, UTC). dates: snapshots made; rows: theirs together. newest:
    the newest snapshot that it made or found untouched. error: None after a success. stopped: it
    was ended by whoever ran it, and is no success either.
    """

    at: str
    reason: str
    ok: bool = True
    dates: list[str] = field(default_factory=list)
    rows: int = 0
    seconds: float = 0
    newest: str | None = None
    error: str | None = None
    stopped: bool = False

    @property
    def outcome(self) -> str:
        """Tell in a word what came of it."""
        if not self.ok:
            return "stopped" if self.stopped else "failed"
        return "made" if self.dates else "unchanged"


def runs_file(places: Places) -> Path:
    """Give the file of the runs."""
    return places.data / "refreshes.jsonl"


def schedule_file(places: Places) -> Path:
    """Give what the schedule says: `next` (ISO, UTC). The file's time is that of its last word."""
    return places.run / "refresh-schedule.json"


def silence(places: Places) -> float:
    """Give how many seconds ago the schedule said something, infinity where it never did."""
    with suppress(FileNotFoundError):
        return time.time() - schedule_file(places).stat().st_mtime
    return math.inf


def append_run(places: Places, run: Run, most: int = MOST_LINES) -> None:
    """Add a run; the refresh's lock has to be held."""
    path = runs_file(places)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(run), ensure_ascii=False).encode() + b"\n"
    with path.open("a+b") as file:
        if size := file.seek(0, os.SEEK_END):
            file.seek(size - 1)
            line = line if file.read(1) == b"\n" else b"\n" + line
        file.write(line)
    # a line has at least a hundred bytes, so most appends need not count them
    if size > 100 * most and len(lines := path.read_bytes().splitlines(keepends=True)) > most:
        replace_file(path, b"".join(lines[-most // 2 :]))


def read_runs(places: Places, *, tail: bool = False) -> Iterator[Run]:
    """Give the runs, the newest first; with `tail` those of the last day or so."""
    with suppress(FileNotFoundError), runs_file(places).open("rb") as file:
        if tail:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
        for line in reversed(file.read().splitlines()):
            with suppress(ValueError, TypeError):
                yield Run(**json.loads(line))


def describe_refreshes(places: Places) -> dict[str, Any]:
    """Give `last` (when the last run began, ISO, UTC), its `outcome`, `error`, `next` (when the
    schedule's next run is due; None without one), `fruitless` (how many of its runs in a row have
    failed, also those that could not begin), `newest_snapshot` (its date), and
    `snapshot_age_seconds`: how long ago that was made, or found to need no change. Each may be
    None.
    """
    runs = list(read_runs(places, tail=True))
    last = runs[0] if runs else None
    newest = max((run.newest for run in runs if run.newest), default=None)
    at = next((run.at for run in runs if run.newest == newest), None) if newest else None
    age = (datetime.now(tz=UTC) - datetime.fromisoformat(at)).total_seconds() if at else None
    return {
        "last": last and last.at, "outcome": last and last.outcome, "error": last and last.error,
        **_schedule(places), "newest_snapshot": newest,
        "snapshot_age_seconds": None if age is None else round(max(0.0, age)),
    }  # fmt: skip


def next_run(places: Places) -> str | None:
    """Give when the schedule's next run is due (ISO, UTC), None where no schedule runs."""
    due: str | None = _schedule(places)["next"]
    return due


def _schedule(places: Places) -> dict[str, Any]:
    """Give `next` and `fruitless` as the schedule says them; None and 0 where none runs."""
    document = read_document(schedule_file(places))
    if document is None or silence(places) > QUIET_SECONDS:
        return {"next": None, "fruitless": 0}
    return {"next": document["next"], "fruitless": document.get("fruitless", 0)}
