"""`drill idle`: the demo as its first `up` leaves it, refreshes scheduled; what does it cost?

Nothing is broken, and nobody asks for more than the usual orders. A budget that is not kept is a
complaint.
"""

from typing import Final

from drill.cost import ALL, Cost, Meter, total
from drill.count import verify
from drill.plan import Plan, Told
from drill.stack import OwnStack
from drill.verdict import Count, Outcome, Row

WARM_UP_SECONDS: Final = 120
"""The start is not idle: compilers and caches."""
SECONDS: Final = 600
CORES: Final = 0.10
MIB: Final = 2.5 * 1024


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Watch for ten minutes, or N times so long."""
    return run_idle(stack, WARM_UP_SECONDS, SECONDS * (plan.times or 1), told)


def run_idle(stack: OwnStack, warm_up: float, seconds: float, told: Told) -> Outcome:
    """Let the start settle, watch, and compare the hops."""
    meter = Meter(stack)
    told(f"{warm_up:.0f} s to settle …")
    meter.watch(warm_up)
    told(f"idle for {seconds:.0f} s …")
    costs = meter.watch(seconds)
    rows = [_row(name, cost, seconds) for name, cost in costs.items()]
    found, says = verify(stack)
    counted = Count(lines=found["counts"]["lines"], differences=says)
    return Outcome([*rows, _row(ALL, total(costs), seconds)], counted, over(total(costs)))


def over(cost: Cost) -> list[str]:
    """Complain of what is above the budget."""
    said = []
    if cost.cores > CORES:
        said.append(f"idle it takes {cost.cores:.3f} core, and {CORES:.2f} is the most")
    if cost.mib > MIB:
        said.append(f"idle it has {cost.mib:,.0f} MiB, and {MIB:,.0f} is the most")
    return said


def _row(name: str, cost: Cost, seconds: float) -> Row:
    return Row(name, f"idle: {cost.cores:.4f} core, {cost.mib:,.0f} MiB", 0, 0, seconds, 0)
