"""Processes die at chosen moments under load: nothing is lost or doubled, the tables are right."""

from drill.plan import Plan
from drill.points import COMPONENTS, names, run_points
from drill.stack import OwnStack

SEED = 20261124
PLAN = Plan(only=None, times=1, rate=100, seed=SEED)


SOME = {"acknowledged", "put", "merge-entered", "load-entered", "refresh-entered"}
"""At least one of each component; a death and its recovery take a minute where tests share two
cores, and `./loyalty drill points` has all. The others are tested step by step: the stream's batch
in test_stream_batches.py, its merges in test_merging.py, the switch of a location in test_hive.py
and test_stream_partitions.py, loads in test_customers_load.py, refreshes in test_refresh.py, a torn
position file in test_raw_recovery.py. "flushed" is among the kills of Flume (test_drill_kills.py).
"""


def test_death_at_chosen_points(broken_stack: OwnStack) -> None:
    """`drill points`, reduced: some of the points, once each, and a smaller rate."""
    points = [name for name in names(None, 1, SEED) if name in SOME]
    assert {COMPONENTS[name] for name in points} == set(COMPONENTS.values())
    said: list[str] = []
    outcome = run_points(broken_stack, PLAN, points, said.append)
    document = outcome.to_json()
    assert document["ok"], [*outcome.count.differences, *outcome.complaints]
    assert document["lines"] > 0
    # a row is of a process that left its mark and is gone
    found = [(row.component, row.done) for row in outcome.rows]
    assert found == [(COMPONENTS[name], name) for name in points]
    assert all(row.killed and row.killed != row.answers for row in outcome.rows)
