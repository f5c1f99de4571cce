"""`drill soak`: ten minutes at a rate; does anybody fall behind, and what does it cost?

Nothing is broken. First the stack is idle for a minute: what it costs then is taken off.
"""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from drill.cost import ALL, Cost, Meter, total
from drill.count import count
from drill.latency import Waits, too_slow, waits
from drill.load import Till, under_load
from drill.plan import Plan, Told
from drill.stack import OwnStack
from drill.verdict import Outcome, Row
from pipeline.errors import LoyaltyError
from pipeline.settings import ROOT
from pipeline.topic import GROUPS
from streaming.progress import read_progress

GROWS_SECONDS: Final = 5
"""A lag that grows by more than what is written in so many seconds is a complaint."""
CORES: Final = 0.55
"""The budget for 1,000 lines/s, on top of idle."""
MIB: Final = 3 * 1024
VERIFY_SECONDS: Final = 60
"""How long the comparison of a million lines, or of fewer, may take on this machine alone."""
TOPIC: Final = "topic"
STREAM: Final = "streaming"
Lags = dict[str, list[int]]
"""By reader: the lines that were written and that it had not taken, at each look."""


@dataclass(frozen=True, slots=True)
class Course:
    """Seconds of each part. warm_up: of caches and compilers, it is not compared."""

    idle: float = 60
    warm_up: float = 60
    load: float = 600


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Write for ten minutes, or N times so long, and count."""
    return run_soak(stack, plan, Course(load=600 * (plan.times or 1)), told)


def run_soak(stack: OwnStack, plan: Plan, course: Course, told: Told) -> Outcome:
    """Measure the idle stack, then one under load, and count."""
    meter = Meter(stack)
    told(f"idle for {course.idle:.0f} s …")
    at_rest = meter.watch(course.idle)
    before = _taken(stack)
    lags: Lags = {}
    with under_load(stack, plan) as (till, complaints):
        told(f"{course.warm_up:.0f} s to warm up …")
        meter.watch(course.warm_up)

        def look() -> None:
            for reader, lines in _lacking(stack, till, before).items():
                lags.setdefault(reader, []).append(lines)
            told(", ".join(f"{reader} lacks {found[-1]:,}" for reader, found in lags.items()))

        halves = [meter.watch(course.load / 2, look)]
        since_ms = int(time.time() * 1000)
        halves.append(meter.watch(course.load / 2, look))
        until_ms = int(time.time() * 1000)
        rate, lines = till.lines_per_second(), till.written()
    complaints += [said for reader, found in lags.items() if (said := growing(reader, found, rate))]
    complaints += over_budget(total(at_rest), total(halves[0]), total(halves[1]), rate)
    told("the till stands; every line is counted …")
    counted = count(stack, till.key, till.ends)
    rows = [_row_of_lag(reader, found, rate, lines) for reader, found in lags.items()]
    rows += _rows_of_cost(at_rest, halves, rate)
    told("how long the lines of the second half were on their way …")
    found = waits(stack, till.key, since_ms, until_ms)
    complaints += too_slow(found, stack.settings.trigger_seconds)
    rows += [_row_of_waits(store, one) for store, one in found.items()]
    told("what a comparison of all hops costs …")
    rows.append(_row_of_verify(stack))
    complaints += slow_to_compare(rows[-1])
    return Outcome(rows, counted, complaints, rate)


def growing(reader: str, lag: list[int], rate: float) -> str:
    """Say that a reader falls behind; empty where it does not."""
    first, last = _thirds(lag)
    if (grown := last - first) <= GROWS_SECONDS * rate:
        return ""
    return (
        f"{reader} falls behind: in the last third of the time it lacked {grown:,.0f} lines more"
        " than in the first"
    )


def _thirds(lag: list[int]) -> tuple[float, float]:
    """Give the mean of the first third of the looks, and that of the last."""
    third = max(1, len(lag) // 3)
    return fmean(lag[:third]), fmean(lag[-third:])


def _taken(stack: OwnStack) -> dict[str, int]:
    """Give how many lines the topic holds, and how many of them each reader has taken."""
    progress = read_progress(stack.places)
    taken = {group: sum(stack.topic.committed(group).values()) for group in GROUPS}
    taken[STREAM] = sum(progress.offsets.values()) if progress else 0
    return {TOPIC: sum(stack.topic.ends().values())} | taken


def _lacking(stack: OwnStack, till: Till, before: dict[str, int]) -> dict[str, int]:
    written = till.written()  # first: what is written meanwhile nobody can lack
    taken = _taken(stack)
    return {reader: max(0, written - taken[reader] + before[reader]) for reader in taken}


def _row_of_lag(reader: str, lag: list[int], rate: float, lines: int) -> Row:
    first, last = _thirds(lag)
    done = (
        f"lacked {first:,.0f} lines in the first third, {last:,.0f} in the last,"
        f" {max(lag):,} at most"
    )
    return Row(reader, done, 0, 0, max(lag) / rate, lines)


def _row_of_waits(store: str, found: Waits) -> Row:
    done = (
        f"99 in 100 lines are there {found.most:.1f} s after they were written, half after"
        f" {found.half:.1f} s, all after {found.longest:.1f} s"
    )
    return Row(store, done, 0, 0, found.most, found.lines)


def _row_of_verify(stack: OwnStack) -> Row:
    """Compare all that there is, once more by itself: its seconds, its lines, its memory."""
    output = stack.places.logs / "drill-verify.json"
    begun = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(
            stack.command("verify", "--json"), env=stack.environment, cwd=ROOT,
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - begun
    if process.returncode:
        raise LoyaltyError(f"`verify` ended with {process.returncode}; {output} says why")
    lines = json.loads(output.read_text())["counts"]["lines"]
    done = f"all hops compared: {used.ru_maxrss / 1024:,.0f} MiB at most, a process of its own"
    return Row("verify", done, 0, 0, seconds, lines)


def slow_to_compare(row: Row) -> list[str]:
    """Complain where the comparison took longer than its lines may; fewer may take as long."""
    most = VERIFY_SECONDS * max(1, row.lines / 1_000_000)
    if row.seconds <= most:
        return []
    return [f"verify took {row.seconds:.0f} s for {row.lines:,} lines, and {most:.0f} is the most"]


def over_budget(rest: Cost, first: Cost, second: Cost, rate: float) -> list[str]:
    """Complain where all together cost more than they may, at rest and in the halves."""
    said = []
    if (more := _for_thousand(rest, first, second, rate)) > CORES:
        said.append(f"1,000 lines/s cost {more:.3f} core, and {CORES} is the most")
    if (mib := max(first.mib, second.mib)) > MIB:
        said.append(f"under load it has {mib:,.0f} MiB, and {MIB:,} is the most")
    return said


def _for_thousand(rest: Cost, first: Cost, second: Cost, rate: float) -> float:
    """Give the cores that 1,000 lines/s cost on top of what is used at rest."""
    return ((first.cores + second.cores) / 2 - rest.cores) / rate * 1000


def _rows_of_cost(
    at_rest: dict[str, Cost], halves: list[dict[str, Cost]], rate: float
) -> list[Row]:
    """Tell the cost of each component, and of all, in both halves of the time."""
    rows = []
    for name in (*halves[1], ALL):
        rest, first, second = (
            total(found) if name == ALL else found.get(name, Cost(0, 0))
            for found in (at_rest, *halves)
        )
        more = _for_thousand(rest, first, second, rate)
        done = (
            f"{rest.cores:.3f} core idle, {first.cores:.3f} and {second.cores:.3f} in the halves:"
            f" {more:.3f} for 1,000 lines/s; {rest.mib:,.0f} MiB idle, {second.mib:,.0f} at the end"
        )
        rows.append(Row(name, done, 0, 0, 0, 0))
    return rows
