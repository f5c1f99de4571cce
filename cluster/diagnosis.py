"""What `doctor` makes of the document that `status` prints: rows of what is well and what not."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cluster.sizes import ON_HDFS
from cluster.vitals import STOPPED
from pipeline.screen import is_up

MOST_QUARANTINED: Final = 0.05
"""Share of a day's lines: a till that was set up wrong, or rules that do not fit, give more."""
LEAST_LINES: Final = 20
"""Of fewer lines a share says nothing."""
MOST_FRUITLESS: Final = 3
"""So many runs of the schedule that failed in a row are named: the pauses of fewer are seconds."""
FULL_DAYS: Final = 7
"""A disk that will be full within so many days is named."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One look. ok: None where it could not be taken, which is no fault. fix: what to do about it,
    with a command to run; empty where nothing is to do.
    """

    subject: str
    ok: bool | None
    saw: str
    fix: str = ""


def diagnose(document: Document, free_bytes: int) -> list[Check]:
    """Judge a stack; free_bytes: of the disk of its data folder."""
    checks = [_care(document)]
    up = is_up(document)
    if up:  # before the first start a given server has nothing of ours to be asked for
        checks += [_component(c) for c in document["components"] if c["wanted"]]
        checks += _lags(document)
    checks += _disks(document, free_bytes)
    if document["quarantine"] is not None:  # the stream has been there
        checks += [_gaps(document), _quarantine(document["quarantine"])]
    checks.append(_refresh(document["refresh"]))
    return checks


def _care(document: Document) -> Check:
    if document["watcher"]:
        return split("supervisor", document["watcher"])
    if not is_up(document):
        return Check("stack", None, "not running, so no component is asked; `./loyalty up`"
                                    " starts it")  # fmt: skip
    return Check("supervisor", True, "cares for the processes, and the watcher looks")


def _component(c: Document) -> Check:
    name, state = c["name"], c["state"]
    if state in {"answering", "running"}:
        saw = {"answering": "answers", "running": "runs"}[state]
        times = f", started again {c['restarts']} times" if c["restarts"] else ""
        return Check(c["title"], True, f"{saw}{times}")
    why = f": {c['error'] or c['reason']}" if c["error"] or c["reason"] else ""
    if state == "down":
        return Check(c["title"], False, f"is down{why}", "`./loyalty up` starts what is down")
    if c["given"]:
        return Check(c["title"], False, f"at {c['given']} does not answer{why}",
                     "start that server, or correct its address: `./loyalty config`")  # fmt: skip
    logs = f"`./loyalty logs {name}` shows its last words"
    if state == "starting":
        return Check(c["title"], False, f"is starting{why}",
                     f"wait for a minute; if it starts again and again, {logs}")  # fmt: skip
    fix = f"the watcher ends and restarts it within a minute or two; {logs}"
    if STOPPED in why:
        fix = f"`kill -CONT` its process, or wait: {fix}"
    return Check(
        c["title"], False, f"does not {'move' if state == 'stuck' else 'answer'}{why}", fix
    )


def _lags(document: Document) -> list[Check]:
    """Judge each hop that is behind; one row where none is."""
    found = [
        Check(f"lag of {hop['title']}", False,
              f"only grows: {hop['lag']:,} lines now, {hop['growing']:,} ten minutes ago",
              f"`./loyalty logs {'streaming' if hop['name'] == 'transactions_cln' else 'flume'}`;"
              " where nothing is wrong there, fewer lines a second (`./loyalty rate`)"
              " or a faster machine")
        for hop in document["hops"]
        if hop["growing"] is not None and hop["lag"] is not None
    ]  # fmt: skip
    lags = [hop["lag"] for hop in document["hops"] if hop["lag"] is not None]
    if not lags:
        return [Check("lag", None, "unknown while Kafka does not answer")]
    return found or [Check("lag", True, f"at most {max(lags):,} lines, and not ever more")]


def _disks(document: Document, free_bytes: int) -> list[Check]:
    full = [split("disk", sentence) for sentence in document["full_disks"]]
    found = [replace(check, fix=f"make room: {check.fix}") for check in full]
    is_far = any(c["given"] for c in document["components"] if c["name"] == "namenode")
    near = [one for one in document["disk"] if not (is_far and one["store"] in ON_HDFS)]
    daily = [one["bytes_per_day"] for one in near]
    known = [per_day for per_day in daily if per_day is not None]
    days = free_bytes / sum(known) if known and sum(known) > 0 else math.inf
    if days < FULL_DAYS:
        found.append(
            Check("disk's growth", False,
                  f"at this pace the disk is full in {days:.1f} days",
                  "make room, keep less (LOYALTY_LOG_RETENTION_DAYS,"
                  " LOYALTY_TOPIC_RETENTION_DAYS), or move LOYALTY_DATA to a larger disk")
        )  # fmt: skip
    elif known:
        mib = sum(known) / 2**20
        found.append(Check("disk's growth", True, f"{mib:,.0f} MiB a day"))
    return found


def _gaps(document: Document) -> Check:
    if not (gaps := document["gaps"]):
        return Check("gaps", True, "the stream has read every offset")
    return Check("gaps", False, " ".join(gaps),
                 "`./loyalty rebuild --repair` closes them from HDFS raw")  # fmt: skip


def _refresh(last: Document) -> Check:
    if last["outcome"] != "failed" and last["fruitless"] >= MOST_FRUITLESS:
        return Check("refresh", False, f"the schedule's last {last['fruitless']} runs failed",
                     "`./loyalty logs refresh` shows why")  # fmt: skip
    if last["outcome"] == "failed":
        return Check("refresh", False, f"failed at {last['last']}: {last['error']}",
                     "put right what it names, then `./loyalty refresh`")  # fmt: skip
    ended = "stopped" if last["outcome"] == "stopped" else "ok"
    return Check("refresh", True, f"{last['last']}, {ended}" if last["last"] else "none yet")


def _quarantine(day: Document) -> Check:
    lines, bad = day["lines"], day["quarantined"]
    saw = f"{bad:,} of {lines:,} lines of the last 24 hours"
    if lines < LEAST_LINES or bad <= MOST_QUARANTINED * lines:
        return Check("quarantine", True, saw)
    most = max(day["reasons"], key=lambda name: day["reasons"][name])
    return Check("quarantine", False, f"{saw} ({bad / lines:.0%}), most of them {most}",
                 "`./loyalty quarantine` shows samples; put the till right, or the rules and then"
                 f" `./loyalty quarantine replay --reason {most}`")  # fmt: skip


def split(subject: str, text: str) -> Check:
    """Give what an error's text says up to its `;`, or its first sentence, as what was seen; the
    rest is its fix.
    """
    saw, *rest = re.split(r"[;.] ", text.rstrip("."), maxsplit=1)
    return Check(subject, False, saw, *rest)
