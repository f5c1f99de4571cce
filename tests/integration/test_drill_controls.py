"""With a safety taken away the count fails, and says how."""

import re

from drill.controls import run
from drill.plan import Plan
from drill.stack import own_stack

SOME = ("staging", "comparison")
"""A control takes two minutes where tests share two cores; `./loyalty drill controls` has all."""


def test_without_a_safety_the_count_fails() -> None:
    """`drill controls`, reduced; on a stack of its own: what is broken here stays broken."""
    said: list[str] = []
    found = {}
    with own_stack(trigger_seconds="1") as stack:
        for seed, name in enumerate(SOME, start=20261124):
            plan = Plan(only=name, times=None, rate=100, seed=seed)
            outcome = run(stack, plan, said.append)
            assert outcome.ok, said
            (row,) = outcome.rows
            found[name] = row.done
    assert "transactions_cln has" in found["staging"]
    assert re.search(r"[1-9][0-9,]* duplicated", found["comparison"]), said
