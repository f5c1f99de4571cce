"""`drill refeed`, reduced: what remembers the log is lost in turn; nothing changes."""

from drill.losses import LOSSES
from drill.refeed import run_losses
from drill.stack import OwnStack

SEED = 20261124
SOME = ("positions", "restored", "offsets", "log")
"""What each reader remembers, and the topic; `./loyalty drill refeed` has all. (The whole
checkpoint is lost in test_receipts.py, a part of it in test_checkpoint.py.)"""


def test_the_log_fed_in_again_changes_nothing(quiet_stack: OwnStack) -> None:
    outcome = run_losses(quiet_stack, SEED, 400, SOME, lambda _: None)
    assert outcome.ok, [*outcome.count.differences, *outcome.complaints]
    assert [row.component for row in outcome.rows] == [LOSSES[name].component for name in SOME]
    fed = [row.lines for name, row in zip(SOME, outcome.rows, strict=True) if LOSSES[name].feeds]
    assert min(fed) >= 400
    (read_again,) = (row.lines for name, row in zip(SOME, outcome.rows, strict=True)
                     if LOSSES[name].rereads)  # fmt: skip
    assert read_again >= 400
    assert 400 < outcome.count.lines < 900
