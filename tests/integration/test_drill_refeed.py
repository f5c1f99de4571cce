"""`drill refeed`, reduced: the whole log again, with what remembers it lost; nothing changes."""

from drill.losses import LOSSES
from drill.refeed import COMPONENTS, run_losses
from drill.stack import own_stack

SEED = 20261124


def test_the_log_fed_in_again_changes_nothing() -> None:
    with own_stack(trigger_seconds="1") as stack:  # whose whole log is small
        outcome = run_losses(stack, SEED, 400, COMPONENTS, lambda _: None)
    assert outcome.ok, [*outcome.count.differences, *outcome.complaints]
    assert [row.component for row in outcome.rows] == [one.component for one in LOSSES.values()]
    fed = [row.lines for row, loss in zip(outcome.rows, LOSSES.values(), strict=True) if loss.feeds]
    assert min(fed) >= 400
    assert 400 < outcome.count.lines < 900
