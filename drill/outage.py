"""`drill outage`: a server is away for two minutes under load; how soon has everyone caught up?"""

import time
from dataclasses import dataclass
from typing import Final

from drill.count import count
from drill.load import Till, under_load
from drill.plan import Plan, Told
from drill.readers import EVERYONE, Chase
from drill.stack import OwnStack
from drill.verdict import Outcome, Row, sentence
from drill.waiting import insist
from pipeline.errors import LoyaltyError

USUAL: Final = ("hiveserver2", "hbase", "kafka")
COMPONENTS: Final = (*USUAL, "namenode", "datanode")
"""`--only` takes all of these; without it the usual ones are taken away."""
AWAY_SECONDS: Final = 120
MOST_SECONDS: Final = 60
"""From the start of the server to the moment when everyone has what there was at its start."""
PATIENCE_SECONDS: Final = 300
CALM_SECONDS: Final = 10


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Take the servers away in turn, each `times` times, under load; then count."""
    names = (plan.only,) if plan.only else USUAL
    away = Away(AWAY_SECONDS, MOST_SECONDS)
    return run_outages(stack, plan, names * (plan.times or 1), away, told)


@dataclass(frozen=True, slots=True)
class Away:
    """How long a server is away, and how long everyone may take to catch up, both in seconds."""

    seconds: float
    most: float


def run_outages(
    stack: OwnStack, plan: Plan, names: tuple[str, ...], away: Away, told: Told
) -> Outcome:
    """Take these servers away, one after the other, under load; then count."""
    rows = []
    with under_load(stack, plan) as (till, complaints):
        for name in plan.each(names):
            try:
                rows.append(take_away(stack, till, name, away.seconds))
            except LoyaltyError as error:
                complaints.append(str(error))
                told(str(error))
                continue
            told(sentence(rows[-1]))
            complaints.extend(too_slow(rows[-1], away.most))
            time.sleep(CALM_SECONDS)
    told("the till stands; every line is counted …")
    counted = count(stack, till.key, till.ends)
    return Outcome(rows, counted, complaints, till.lines_per_second())


def too_slow(row: Row, most: float) -> list[str]:
    """Complain where catching up took more seconds than the most."""
    if row.seconds <= most:
        return []
    says = f"{row.component} was back, and everyone had caught up after {row.seconds:.0f} s only"
    return [f"{says}; at most {most:.0f} s are allowed"]


def take_away(stack: OwnStack, till: Till, name: str, seconds: float) -> Row:
    """Stop a server, start it again after some seconds, and wait until everyone has caught up.

    Caught up: Flume, both of its sinks, the stream and Hive have all that was in the log files
    when the server was started. The row's seconds count from then. Raises LoyaltyError after five
    minutes.
    """
    written = till.written()
    stack.supervisor.stop(name)
    time.sleep(seconds)
    begun = time.monotonic()
    stack.supervisor.start(name)
    chase = Chase(stack)
    insist(
        lambda: chase.check(*EVERYONE), PATIENCE_SECONDS - (time.monotonic() - begun),
        f"{name} was away for {seconds:.0f} s, and {PATIENCE_SECONDS} s after its start not"
        " everyone has caught up ({error})",
    )  # fmt: skip
    pid = stack.supervisor.processes()[name].pid
    return Row(name, f"away {seconds:.0f} s", 0, pid, time.monotonic() - begun,
               till.written() - written)  # fmt: skip
