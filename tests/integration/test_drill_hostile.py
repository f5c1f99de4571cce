"""`drill hostile`, reduced: the whole table and 5,000 fuzzed lines, a good order after each."""

from drill.hostile import attack
from drill.stack import OwnStack

SEED = 20261124


def test_no_line_stops_or_spoils_the_next(broken_stack: OwnStack) -> None:
    said: list[str] = []
    outcome = attack(broken_stack, SEED, 5_000, said.append)
    assert outcome.ok, [*outcome.count.differences, *outcome.complaints]
    assert outcome.count.lines > 2 * 5_000
    assert len(outcome.rows) == 4
