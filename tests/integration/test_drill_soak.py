"""`drill soak`, reduced: a quarter of a minute at a smaller rate; nobody falls behind."""

import re

from drill.latency import HBASE, TABLE
from drill.plan import Plan
from drill.soak import Course, run_soak
from drill.stack import OwnStack


def test_nobody_falls_behind(broken_stack: OwnStack) -> None:
    plan = Plan(only=None, times=1, rate=200, seed=20261124)
    said: list[str] = []
    outcome = run_soak(broken_stack, plan, Course(idle=3, warm_up=3, load=15), said.append)
    assert outcome.count.differences == []
    # what a quarter of a minute costs on a machine that others use too says nothing
    assert [said for said in outcome.complaints if "falls behind" in said] == []
    assert outcome.count.lines > 18 * plan.rate * 0.9
    found = {row.component: row.done for row in outcome.rows}
    assert found.keys() >= {"flume-hdfs", "flume-hbase", "streaming", "kafka", "supervision"}
    assert "for 1,000 lines/s" in found["all"]
    for store in (HBASE, TABLE):
        (waited,) = (row for row in outcome.rows if row.component == store)
        assert waited.lines > 100
        assert 0 < waited.seconds < 60
    verified = next(row for row in outcome.rows if row.component == "verify")
    assert verified.lines >= outcome.count.lines
    assert re.fullmatch(r"all hops compared: [1-9][0-9]+ MiB at most, .*", verified.done)
