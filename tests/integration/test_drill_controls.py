"""With a safety taken away the count fails, and says how.

`./loyalty drill controls`, reduced: that of the comparison, whose doubled lines stay, is run by
test_drill_comparison.py.
"""

import re

import pytest

from drill import controls
from drill.controls import CONTROLS, LAST, run
from drill.plan import Plan
from drill.stack import OwnStack

SEED = 20261124
FINDS = {
    "recovery": r"Cannot obtain block length",
    "staging": r"transactions_cln has [1-9][0-9,]* lines to go",
    "acknowledgement": r"[1-9][0-9,]* lost",
}


def test_every_safety_is_taken_away() -> None:
    assert {*FINDS, LAST} == set(CONTROLS)


@pytest.mark.parametrize("safety", FINDS)
def test_without_a_safety_the_count_fails(
    broken_stack: OwnStack, monkeypatch: pytest.MonkeyPatch, safety: str
) -> None:
    """With the safety back the same lines are counted, and all there."""
    monkeypatch.setattr(controls, "STALL_SECONDS", 5)
    monkeypatch.setattr(controls, "LOAD_SECONDS", 5)
    said: list[str] = []
    outcome = run(broken_stack, Plan(safety, None, 100, SEED), said.append)
    assert outcome.ok, said
    assert re.search(f"without {safety}: .*{FINDS[safety]}", said[0]), said
