"""With a safety taken away the count fails, and says how.

`./loyalty drill controls`, reduced: that of the comparison, whose doubled lines stay, is run by
test_drill_comparison.py.
"""

import pytest

from drill import controls
from drill.controls import CONTROLS, LAST, run
from drill.plan import Plan
from drill.stack import OwnStack

SEED = 20261124


@pytest.mark.parametrize("safety", [name for name in CONTROLS if name != LAST])
def test_without_a_safety_the_count_fails(
    broken_stack: OwnStack, monkeypatch: pytest.MonkeyPatch, safety: str
) -> None:
    """With the safety back the same lines are counted, and all there."""
    monkeypatch.setattr(controls, "STALL_SECONDS", 5)
    monkeypatch.setattr(controls, "LOAD_SECONDS", 5)
    said: list[str] = []
    outcome = run(broken_stack, Plan(safety, None, 100, SEED), said.append)
    assert outcome.ok, said
    (row,) = outcome.rows
    assert row.done != f"without {safety}: "
