"""`status`: one document of everything, and nothing in it waits longer than two seconds."""

import time
from typing import Any, Final

from cluster.health import look
from cluster.stack import Stack
from cluster.watch import read_reasons
from hive.refresh import read_last
from pipeline.errors import LoyaltyError
from pipeline.topic import GROUPS, Topic
from streaming.progress import read_progress

SERVERS: Final = ("kafka", "namenode", "datanode", "hbase", "thrift", "metastore", "hiveserver2")


def describe(stack: Stack) -> dict[str, Any]:
    """Give `healthy`, `components`, `producer`, `lag` (lines per reader) and `refresh`."""
    components = look(stack)
    reasons = read_reasons(stack.places)
    producer = _producer(stack)
    wanted = {*stack.components} - ({"producer"} if not producer["running"] else set())
    kafka_answers = any(c.name == "kafka" and c.state == "answering" for c in components)
    return {
        "healthy": all(c.is_healthy for c in components if c.name in wanted),
        "components": [
            {"name": c.name, "title": c.title, "state": c.state, "restarts": c.restarts,
             "port": c.port, "rss_mib": c.rss_mib, "wanted": c.name in wanted,
             "reason": reasons.get(c.name, "")}
            for c in components
        ],
        "producer": {"asked": producer["asked"], "measured": producer["measured"]},
        "lag": _lag(stack) if kafka_answers else dict.fromkeys((*GROUPS, "streaming")),
        "refresh": _last_refresh(stack),
    }  # fmt: skip


def _producer(stack: Stack) -> dict[str, Any]:
    from producer.measure import measured_rate
    from producer.rate import asked

    state = asked(stack.places)
    running = state is not None and not state.paused
    now = int(time.time() * 1000)
    measured = (
        measured_rate(stack.places.order_log, now, state.since_ms)
        if state is not None and running
        else None
    )
    return {"asked": str(state) if state else None, "measured": measured, "running": running}


def _lag(stack: Stack) -> dict[str, int | None]:
    """Give how many lines of the topic each reader has not taken; None where it is not known."""
    topic = Topic(stack.settings.kafka, stack.settings.topic, timeout=1)
    progress = read_progress(stack.places)
    try:
        ends = topic.ends()
        readers = {group: topic.committed(group) for group in GROUPS}
    except LoyaltyError:
        return dict.fromkeys((*GROUPS, "streaming"))
    readers["streaming"] = progress.offsets if progress else {}
    return {
        reader: sum(end - min(offsets.get(partition, 0), end) for partition, end in ends.items())
        for reader, offsets in readers.items()
    }


def _last_refresh(stack: Stack) -> dict[str, Any]:
    last = read_last(stack.places)
    if last is None:
        return {"last": None, "ok": None, "error": None}
    return {"last": last["at"], "ok": last["ok"], "error": last["error"]}
