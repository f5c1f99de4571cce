"""With a safety taken away the count fails, and says how.

`./loyalty drill controls` has all four; that of the comparison, whose doubled lines stay, is run by
test_drill_command.py.
"""

from drill.controls import run
from drill.plan import Plan
from drill.stack import OwnStack

SEED = 20261124


def test_without_staging_the_count_fails(broken_stack: OwnStack) -> None:
    """`drill controls`, reduced; with the safety back the same lines are counted, and all there."""
    said: list[str] = []
    plan = Plan(only="staging", times=None, rate=100, seed=SEED)
    outcome = run(broken_stack, plan, said.append)
    assert outcome.ok, said
    (row,) = outcome.rows
    assert "transactions_cln has" in row.done
