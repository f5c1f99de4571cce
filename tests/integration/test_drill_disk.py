"""`drill disk`, reduced: the disk is full under the log files, Kafka and HDFS in turn."""

import pytest

from drill.disk import run_disks
from drill.plan import Plan
from drill.room import Ballast, free, small_stack
from tests.mounting import ran_inside

SEED = 20261124


def test_a_full_disk_loses_nothing_and_everything_goes_on_when_there_is_room(
    request: pytest.FixtureRequest,
) -> None:
    """As root, or in a namespace; it fails where there is neither."""
    if ran_inside(request, seconds=1800):
        return
    with small_stack(trigger_seconds="2") as stack:
        ballast = Ballast(stack.places.order_log)
        ballast.fill()
        assert free(stack.places.order_log) == 0
        ballast.remove()
        plan = Plan(None, None, 100, SEED)
        outcome = run_disks(stack, plan, ("orders-log", "kafka", "hdfs"), 5, lambda _: None)
    assert outcome.ok, [*outcome.count.differences, *outcome.complaints]
    assert [row.component for row in outcome.rows] == ["orders-log", "kafka", "hdfs"]
