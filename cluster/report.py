"""`status`: one document of everything, and nothing in it waits longer than two seconds."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from cluster.asking import ask_together
from cluster.disk import find_full
from cluster.findings import blindness, read_findings, read_reasons
from cluster.health import Health, judge, patience, questions
from cluster.hops import HOPS, ask_lines, describe_hops
from cluster.samples import read_memory
from cluster.shutdown import find_orphans
from cluster.sizes import describe_sizes
from cluster.stack import Stack
from cluster.supervision import Process
from cluster.vitals import STOPPED
from hive.runs import describe_refreshes
from pipeline.programme import calendar
from producer.members import members_file
from streaming.progress import Progress, last_day, read_progress

LINES: Final = "lines"
"""The question how many lines each hop has taken, beside the components' own."""


def describe(stack: Stack, seconds: float | None = None) -> dict[str, Any]:
    """Give what `status --json` prints: one object, None (null) for what is not known.

    at: now (ISO, UTC). healthy: whether all that is wanted answers, the watcher looks, no disk is
    full and no order log file is left out; what `doctor` judges besides (gaps, growing lag, the
    last refresh, quarantine) is told for itself. watcher: a sentence where it does not look, else
    empty. components: name, title, state, restarts, port, given (where a server is that is not
    ours, else empty), rss_mib, wanted, error (why it gives no answer now), reason (what the watcher
    found last, too). producer: asked, measured (orders/s), its traffic, now (orders/s that it is
    asked for at this hour; null for max). lag: lines per reader. hops: name, title, rate (lines/s
    over a minute), lag (lines), age_seconds, growing. quarantine: lines (all that came),
    quarantined, reasons, of the last 24 hours. disk: store, bytes, bytes_per_day. refresh: last,
    outcome, error, next, fruitless, newest_snapshot, snapshot_age_seconds. customers: whether any
    were loaded. open_partitions (table, partition, files, generation), as the stream has them.
    full_disks, left_out and gaps: sentences.

    seconds: how long all questions together may take, `health.patience()` by default. supervisord,
    which tells whom to ask, is given half of it, so that one that hangs leaves time for the others.
    """
    now, seconds = time.time(), patience() if seconds is None else seconds
    end = time.monotonic() + seconds
    findings = read_findings(stack.places)
    processes, watcher = _care(stack, seconds / 2)
    answers = _ask(stack, processes, end - time.monotonic())
    components = judge(stack, processes, answers, findings)
    asked = answers.get(LINES)
    lines = asked if isinstance(asked, dict) else {}
    full, left_out = (
        find_full(stack.places, findings.short, stack.settings.given),
        _left_out(stack),
    )
    producer = _producer(stack)
    wanted = {*stack.components} - ({"producer"} if not producer["running"] else set())
    wanted -= set() if stack.settings.is_scheduled else {"refresh"}
    blind = watcher if watcher or not processes else blindness(findings, now)
    memory, progress = read_memory(stack.places), read_progress(stack.places)
    hops = describe_hops(memory, lines, stack.places, now)
    return {
        "at": datetime.fromtimestamp(now, tz=UTC).isoformat(timespec="seconds"),
        "healthy": not full
        and not blind
        and not left_out
        and all(c.is_healthy for c in components if c.name in wanted),
        "watcher": blind,
        "components": _components(components, wanted, read_reasons(stack.places, findings)),
        "producer": {name: value for name, value in producer.items() if name != "running"},
        "lag": {HOPS[hop["name"]].reading: hop["lag"] for hop in hops if HOPS[hop["name"]].reading},
        "hops": hops,
        "quarantine": _quarantine(progress, now),
        "disk": describe_sizes(memory),
        "refresh": describe_refreshes(stack.places),
        "customers": members_file(stack.places).exists(),
        "open_partitions": _open_partitions(progress),
        "full_disks": full,
        "left_out": left_out,
        "gaps": _gaps(progress),
    }


def _care(stack: Stack, seconds: float) -> tuple[dict[str, Process], str]:
    """Ask supervisord; gives its processes, and a sentence where it does not care for them."""
    running, processes = ask_together(
        {"running": stack.supervisor.is_running, "processes": stack.supervisor.processes}, seconds
    ).values()
    if isinstance(running, Exception) or isinstance(processes, Exception):
        return {}, (
            "supervisord does not answer, so nobody is restarted; where that stays so, `kill -KILL "
            f"$(cat {stack.places.run / 'supervisord.pid'})`, then `./loyalty up` starts all again."
        )
    return (processes if isinstance(processes, dict) else {}), "" if running else _orphans(stack)


def _ask(stack: Stack, processes: Mapping[str, Process], seconds: float) -> dict[Any, object]:
    """Ask everyone who runs, side by side, and Kafka how far its readers are."""
    asked: dict[Any, Any] = dict(questions(stack, processes))
    kafka = processes.get("kafka")
    if stack.components["kafka"].address(stack.settings) or (kafka is not None and kafka.pid):
        asked[LINES] = lambda: ask_lines(stack.settings)
    return ask_together(asked, seconds)


def _components(
    components: list[Health], wanted: set[str], reasons: Mapping[str, str]
) -> list[dict[str, Any]]:
    found = []
    for c in components:
        told = reasons.get(c.name, "")
        # of what both have found, the watcher says more; it does not know yet who was just stopped
        now = c.error if not told or (c.error == STOPPED and STOPPED not in told) else ""
        found.append({
            "name": c.name, "title": c.title, "state": c.state, "restarts": c.restarts,
            "port": c.port, "given": c.given, "rss_mib": c.rss_mib, "wanted": c.name in wanted,
            "error": c.error,
            "reason": "; ".join(filter(None, [now, told])),
        })  # fmt: skip
    return found


def _orphans(stack: Stack) -> str:
    """Say that components run which nobody cares for; empty where none do."""
    if not (left := find_orphans(stack)):
        return ""
    return (
        f"supervisord does not answer, or was killed, and of this stack {len(left)} processes run"
        " on that nobody looks after; `./loyalty up` ends them and starts everything again."
    )


def _left_out(stack: Stack) -> list[str]:
    return [
        f"{ascii(str(path))[1:-1]} {why}, so Flume does not read it; remove or rename it."
        for path, why in stack.places.left_out().items()
    ]


def _producer(stack: Stack) -> dict[str, Any]:
    """Give what is asked for and what is measured (orders a second); null where nothing is.

    now: what the asked rate and shape come to at this time of the day; null for `max`, too.
    """
    from producer.measure import measured_rate
    from producer.rate import ACTS_MS, asked
    from producer.shape import density

    if (state := asked(stack.places)) is None:
        names = ("asked", "measured", "shape", "refunds", "redemptions", "now")
        return {**dict.fromkeys(names), "running": False}
    now = int(time.time() * 1000)
    interval, zone = state.rate.interval_ns, calendar(stack.programme).zone
    log = stack.places.order_log
    return {
        "asked": str(state),
        "measured": None if state.paused else measured_rate(log, now, state.since_ms + ACTS_MS),
        **state.traffic.document(),
        "now": density(state.traffic.shape, zone, now) * 1e9 / interval if interval else None,
        "running": not state.paused,
    }


def _quarantine(progress: Progress | None, now: float) -> dict[str, Any] | None:
    """Give what the stream's batches did in the last 24 hours; None before its first start."""
    if progress is None:
        return None
    day = last_day(progress, now)
    return {
        "lines": day.lines, "quarantined": sum(day.reasons.values()), "reasons": day.reasons
    }  # fmt: skip


def _open_partitions(progress: Progress | None) -> list[dict[str, Any]]:
    return [asdict(one) for one in progress.open_partitions] if progress else []


def _gaps(progress: Progress | None) -> list[str]:
    """Name the offsets that the stream never read, and nobody can read any more."""
    return [
        f"Partition {gap.partition} of topic {gap.topic_id} was not read from offset {gap.first:,}"
        f" {'on' if gap.last is None else f'to {gap.last:,}'}: if lines were there, only"
        " `./loyalty rebuild --repair` brings them back, from HDFS raw; called without dates it"
        " closes the gap."
        for gap in (progress.gaps if progress else ())
    ]
