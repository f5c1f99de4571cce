"""`drill growth`: does a refresh cost what is new, or what is old?

A demo's day is 1,000 orders. Its history becomes ten and a hundred times as long, with the snapshot
of yesterday, as a stack has it that has lived through these days; each time 1,000 new lines come,
and what the refresh after them takes is read from its own record.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

from drill.count import count
from drill.load import Till, lines_per_order
from drill.plan import Plan, Told
from drill.refeed import await_everyone
from drill.stack import OwnStack
from drill.verdict import Outcome, Row, sentence
from pipeline.errors import LoyaltyError
from pipeline.programme import calendar, read_programme
from producer.pool import demo_customers

A_DAY: Final = 1_000
NEW_LINES: Final = 1_000
ROUNDS: Final = 5
MOST: Final = 1.25
"""How many times as long a refresh may take after the longest history as after the shortest."""
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Course:
    """Orders of the history at first; how many times as long it becomes; refreshes of each."""

    orders: int = 3_000
    factors: tuple[int, ...] = (1, 10, 100)
    rounds: int = ROUNDS


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Measure after each history, `times` times a round of five."""
    return run_growth(stack, plan, Course(rounds=ROUNDS * (plan.times or 1)), told)


def run_growth(stack: OwnStack, plan: Plan, course: Course, told: Told) -> Outcome:
    """Let the history grow, and measure refreshes; the first of each length is not counted."""
    key = Till(stack, 1, plan.seed).key
    _load_members(stack)
    rows, there = [], 0
    for factor in course.factors:
        orders = course.orders * factor
        _write_history(stack, key, plan.seed, course.orders * there, orders)
        there = factor
        yesterday = calendar(read_programme(stack.settings.programme)).today() - timedelta(days=1)
        stack.ok("refresh", "--data-dt", str(yesterday), timeout=900)
        _refresh(stack)
        seconds = []
        for turn in plan.each(range(course.rounds)):
            _write_new(stack, key, plan.seed + factor * 1000 + turn)
            seconds.append(_refresh(stack))
        done = f"{NEW_LINES:,} new lines after {orders:,} orders of history"
        rows.append(Row("refresh", done, 0, 0, median(seconds), NEW_LINES * len(seconds)))
        told(sentence(rows[-1]))
    return Outcome(rows, count(stack, key), growing(rows))


def growing(rows: list[Row]) -> list[str]:
    """Complain where the last took too much longer than the first."""
    first, last = rows[0].seconds, rows[-1].seconds
    if last <= MOST * first:
        return []
    said = (
        f"a refresh takes {last / first:.2f} times as long after the longest history as after the"
        f" shortest ({last:.2f} s and {first:.2f} s); at most {MOST} is right"
    )
    return [said]


def _load_members(stack: OwnStack) -> None:
    file = stack.settings.data / "growth-members.csv"
    file.write_text(demo_customers(), encoding="utf-8")
    stack.ok("customers", "load", str(file))


def _write_history(stack: OwnStack, key: Path, seed: int, after: int, orders: int) -> None:
    """Write the orders of a history that come before the newest `after` ones."""
    day = time.time_ns() // 1_000_000 - _DAY_MS
    start = day - orders * _DAY_MS // A_DAY
    _produce(stack, key, seed + orders, orders - after, "--start", str(start),
             "--rate", f"{_DAY_MS / 1000 / A_DAY}s")  # fmt: skip


def _write_new(stack: OwnStack, key: Path, seed: int) -> None:
    """Write as many orders as make 1,000 lines, as of now."""
    _produce(stack, key, seed, round(NEW_LINES / lines_per_order("")), "--rate", "max")


def _produce(stack: OwnStack, key: Path, seed: int, orders: int, *how: str) -> None:
    stack.ok("produce", "--count", str(orders), "--seed", str(seed), "--answer-key", str(key), *how,
             timeout=900)  # fmt: skip
    await_everyone(stack)


def _refresh(stack: OwnStack) -> float:
    """Refresh; give the seconds of its own record. Raises LoyaltyError where it changed nothing."""
    stack.ok("refresh", timeout=900)
    last = stack.answer("refreshes", "--last", "1")[0]
    if last["outcome"] != "made":
        raise LoyaltyError(f"the refresh was {last['outcome']}: {last}")
    return float(last["seconds"])
