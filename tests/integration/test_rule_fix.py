"""Lines that are good after all, by a mended rule or by the time, are replayed, and count once."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from drill.crippled import replaced
from drill.stack import OwnStack
from tests.waiting import wait_until

TOLERATED_MS = 600_000
"""How far ahead of its arrival an order may be."""


@contextmanager
def too_strict(stack: OwnStack) -> Iterator[None]:
    """Let a stream that refuses a good item run in the place of the supervised one."""
    stack.supervisor.stop("streaming")
    try:
        with replaced(stack, "streaming", ["tests.integration.stricter"], log="too-strict"):
            yield
    finally:
        stack.supervisor.start("streaming")


def test_after_a_fix_of_the_rules_and_when_its_time_has_come_a_replayed_line_counts_once(
    stack: OwnStack,
) -> None:
    run = uuid.uuid4().hex[:10]
    at = int(time.time() * 1000) + TOLERATED_MS + 20_000  # it may take a while to Kafka
    lines = {
        "ITEM": f"7|1558101600000|FIX-{run}|1|SALE|3|matcha|1|70.00|",
        "FUTURE": f"7|{at}|EARLY-{run}|1|SALE|3|latte|1|70.00|",
    }

    def quarantined() -> set[tuple[str, str]]:
        rows = stack.sql(
            "select reason, cast(raw as string) raw from quarantine"
            f" where cast(raw as string) like '%-{run}|%'"
        )
        found = [(row["reason"], row["raw"]) for row in rows]
        assert len(found) == len(set(found)), "once per offset"
        return set(found)

    def counted() -> list[str]:
        rows = stack.sql(
            f"select order_id, amount from transactions_cln where order_id like '%-{run}'"
        )
        return sorted(f"{row['order_id']} {row['amount']}" for row in rows)

    with too_strict(stack):
        stack.ok("produce", "--from", "-", stdin="".join(f"{line}\n" for line in lines.values()))
        wait_until("both are quarantined", lambda: len(quarantined()) == 2, seconds=180)
    assert quarantined() == set(lines.items())
    assert counted() == []

    time.sleep(max(0, (at - TOLERATED_MS) / 1000 - time.time()) + 1)
    for _ in range(2):
        for reason in lines:
            stack.ok("quarantine", "replay", "--reason", reason, "--yes")
        stack.ok("verify", "--wait")
        assert counted() == [f"EARLY-{run} 70.00", f"FIX-{run} 70.00"]
    assert quarantined() == set(lines.items()), "and not again"
    assert stack.answer("rebuild")["ok"]
