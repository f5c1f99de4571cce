"""A rule that was too strict is mended: what it has quarantined is replayed, and counts once."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from drill.crippled import replaced
from drill.stack import OwnStack
from tests.waiting import wait_until


@contextmanager
def too_strict(stack: OwnStack) -> Iterator[None]:
    """Let a stream that refuses a good item run in the place of the supervised one."""
    stack.supervisor.stop("streaming")
    try:
        with replaced(stack, "streaming", ["tests.integration.stricter"], log="too-strict"):
            yield
    finally:
        stack.supervisor.start("streaming")


def test_after_a_fix_of_the_rules_a_replayed_line_counts_once(stack: OwnStack) -> None:
    order_id = f"FIX-{uuid.uuid4().hex[:10]}"
    line = f"7|1558101600000|{order_id}|1|SALE|3|matcha|1|70.00|"
    quarantined = f"select reason from quarantine where cast(raw as string) = '{line}'"
    counted = f"select amount from transactions_cln where order_id = '{order_id}'"
    with too_strict(stack):
        stack.ok("produce", "--from", "-", stdin=f"{line}\n")
        wait_until("it is quarantined", lambda: bool(stack.sql(quarantined)), seconds=180)
    assert stack.sql(quarantined) == [{"reason": "ITEM"}]
    assert stack.sql(counted) == []

    for _ in range(2):
        stack.ok("quarantine", "replay", "--reason", "ITEM", "--yes")
        stack.ok("verify", "--wait")
        assert stack.sql(counted) == [{"amount": "70.00"}]
    assert stack.sql(quarantined) == [{"reason": "ITEM"}], "once per offset, and not again"
    assert stack.answer("rebuild")["ok"]
