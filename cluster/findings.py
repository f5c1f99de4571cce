"""What the watcher has found in its last round: run/health.json, which `status` reads."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from cluster.movement import EXPIRED
from cluster.patient import stretch
from cluster.restarts import read_whys
from cluster.vitals import load
from pipeline.document import read_document, replace_document
from pipeline.places import Places

MOST_AGE_SECONDS: Final = 60
"""A watcher that has told nothing for so long does not look any more."""
BUSY_LOAD: Final = 4
"""Processes that want to run for each processor, up to which answers are quick."""


@dataclass(frozen=True, slots=True)
class Findings:
    """at: when it was told (epoch seconds), 0 before the first round. components: as `Watch.look`
    gives them. short: the folders that are short of room, by since when (epoch seconds).
    """

    at: float = 0
    components: dict[str, dict[str, Any]] = field(default_factory=dict)
    short: dict[str, float] = field(default_factory=dict)


def write_findings(places: Places, findings: Findings) -> None:
    """Tell what a round has found."""
    replace_document(_file(places), asdict(findings))


def read_findings(places: Places) -> Findings:
    """Give what was told last; nothing before the first round, or where that cannot be read."""
    told = read_document(_file(places))
    return Findings(**told) if told and told.keys() == asdict(Findings()).keys() else Findings()


def blindness(findings: Findings, now: float) -> str:
    """Give the sentence that the watcher does not look (now: epoch seconds), or nothing."""
    seconds = abs(now - findings.at)
    if seconds <= MOST_AGE_SECONDS * stretch(load(), BUSY_LOAD):
        return ""
    since = f"for {seconds:,.0f} s" if findings.at else "yet"
    return (
        f"The watcher has not looked {since}, so nobody is restarted who does not answer; "
        "`./loyalty down`, then `./loyalty up` starts it again."
    )


def read_reasons(places: Places, findings: Findings) -> dict[str, str]:
    """Give why a component did not answer in the watcher's last round, or was killed by it, and
    how it has ended otherwise within the last hour.

    And of Flume, what expired unread before its last start.
    """
    told = [(name, _sentence(found)) for name, found in findings.components.items()]
    told += read_whys(places, time.time()).items()
    expired = places.run / EXPIRED
    if expired.exists():
        told.append(("flume", expired.read_text(encoding="utf-8")))
    reasons: dict[str, str] = {}
    for name, sentence in told:
        reasons[name] = "; ".join(filter(None, [reasons.get(name), sentence]))
    return reasons


def _sentence(found: Mapping[str, Any]) -> str:
    reason = str(found["reason"])
    if not found["kills"]:
        return reason
    times = "once" if found["kills"] == 1 else f"{found['kills']} times, last"
    killed = f"was killed by the watcher {times} at {found['killed_at']}: {found['killed']}"
    return f"{reason}; {killed}" if reason else killed


def _file(places: Places) -> Path:
    return places.run / "health.json"
