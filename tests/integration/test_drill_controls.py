"""With a safety taken away the count fails, and says how."""

import re

from drill.controls import CONTROLS, run
from drill.plan import Plan
from drill.stack import own_stack


def test_without_a_safety_the_count_fails() -> None:
    """On a stack of its own: what is broken here stays broken."""
    said: list[str] = []
    with own_stack(trigger_seconds="1") as stack:
        outcome = run(stack, Plan(only=None, times=1, rate=100, seed=20261124), said.append)
    assert outcome.ok, said
    found = {name: row.done for name, row in zip(CONTROLS, outcome.rows, strict=True)}
    assert "Cannot obtain block length" in found["recovery"]
    assert "transactions_cln has" in found["staging"]
    assert re.search(r"[1-9][0-9,]* lost", found["acknowledgement"]), said
    assert re.search(r"[1-9][0-9,]* duplicated", found["comparison"]), said
