"""What the demo adds to a start: members, their past, a producer, the first snapshot."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from cluster.stack import Stack
from cluster.stamp import Stamp
from cluster.startup import Step, wait_for_answer
from pipeline.errors import Busy, LoyaltyError, UsageError
from pipeline.places import CUSTOMERS
from pipeline.positions import read_positions
from pipeline.topic import GROUPS, has_reached
from pipeline.webhdfs import Hdfs
from producer.growing import last_line_end
from producer.history import DAYS, DEFAULT, Plan
from streaming.progress import read_progress

BUSY_SECONDS: Final = 300
"""How long another refresh may be at work when the start makes its own."""


def is_real(stack: Stack, found: Stamp) -> bool:
    """Tell whether a data folder is for a chain's own members: nothing is invented for it."""
    return found.begun == "empty" or stack.places.customers_loaded.exists()


def settle_history(stack: Stack, found: Stamp, *, empty: bool, asked: int | None) -> Plan | None:
    """Give the plan of the demo's history, made at its first start; None where there is none.

    asked: the number of orders, None for what is usual. Raises UsageError where another history is
    asked for than the data folder has.
    """
    from producer.history import make_plan, read_plan
    from producer.members import members_file

    if empty or is_real(stack, found):
        if asked:
            raise UsageError(
                "--history is for invented members, and this data folder is for real ones; leave"
                " it out, or use another LOYALTY_DATA."
            )
        return None
    plan = read_plan(stack.places)
    # a start was killed before the plan where there are no members either
    if plan is None and not members_file(stack.places).exists():
        return make_plan(stack.places, DEFAULT if asked is None else asked)
    if asked not in (None, plan.orders if plan else 0):
        raise UsageError(
            f"--history is settled by the first `up`: this data folder has one of"
            f" {plan.orders if plan else 0:,} orders. Leave it out, or use another LOYALTY_DATA."
        )
    return plan


def demo_steps(
    stack: Stack,
    found: Stamp,
    *,
    empty: bool,
    rate: str | None,
    traffic: dict[str, Any],
    past: Plan | None,
    fresh: bool,
) -> list[Step]:
    """Give the steps after the stages' own.

    A data folder begun empty, or one whose customers were loaded, gets nothing invented;
    its producer runs when it was asked for by `rate resume`. traffic: its shape and shares, as
    `ask_rate` takes them. past: the history. `fresh`: nothing ran before, so today's snapshot is
    made anew.
    """
    from producer.rate import DEFAULT as DEFAULT_RATE
    from producer.rate import ask_rate, asked

    real = is_real(stack, found) or empty
    steps = []
    if empty or (real and asked(stack.places) is None):
        ask_rate(stack.places, "pause")
    first = rate or (DEFAULT_RATE if asked(stack.places) is None else None)
    if first or any(value is not None for value in traffic.values()):
        ask_rate(stack.places, first, **traffic)
    if not real:
        steps.append(
            Step(
                "members",
                "invented members",
                lambda: _load_members(stack),
                ("folders", "hive-tables"),
            )
        )
    seeds = past is not None and not past.is_taken
    if past is not None and seeds:
        steps += [
            Step("history", f"{past.orders:,} orders of the last {DAYS} days",
                 lambda: _write_history(stack, past), ("metastore", "folders")),
            Step("history-taken", "these orders, taken by every reader",
                 lambda: _await_history(stack, past), ("history", "flume", "streaming")),
        ]  # fmt: skip
    if not empty and (state := asked(stack.places)) is not None and not state.paused:
        steps.append(
            Step("producer", "demo producer", lambda: stack.supervisor.start("producer"),
                 ("members", "flume", "streaming"))
        )  # fmt: skip
    if fresh or seeds:
        steps.append(
            Step("snapshot", "snapshot of today", lambda: _refresh(stack),
                 ("members", "hive-tables", "streaming", "history-taken"))
        )  # fmt: skip
    return steps


def _write_history(stack: Stack, past: Plan) -> None:
    """Write the history into the order log, or what a killed start has not."""
    from producer.history import history, write_history
    from producer.log import OrderLog
    from producer.pool import demo_members

    settings, zone = stack.settings, ZoneInfo(stack.programme.time_zone)
    lines = history(past, demo_members(), stack.programme.menu, zone)
    with OrderLog(
        stack.places.order_log, zone, settings.log_roll_mib, settings.log_roll_minutes
    ) as log:
        write_history(lines, stack.places.order_files(), log.write)


def _await_history(stack: Stack, past: Plan) -> None:
    """Wait until Flume has sent the order log, and every reader of the topic has had that."""
    from producer.history import mark_taken

    written = line_ends(stack.places.order_files())

    def sent() -> dict[int, int]:
        if not has_reached(read_positions(stack.places.positions), written):
            raise LoyaltyError("Flume has not sent the whole order log")
        return stack.topic.ends()

    def taken() -> None:
        progress = read_progress(stack.places)
        readers = {group: stack.topic.committed(group) for group in GROUPS}
        readers["streaming"] = progress.offsets if progress else {}
        for reader, offsets in readers.items():
            if not has_reached(offsets, ends):
                raise LoyaltyError(f"{reader} has not read the demo's history")

    def wait(name: str, question: Any) -> Any:
        return wait_for_answer(name, question, stack.supervisor, stack.places, halt=stack.halt)

    ends = wait("flume", sent)
    wait("streaming", taken)
    mark_taken(stack.places, past)


def line_ends(files: Iterable[Path]) -> dict[tuple[int, str], int]:
    """Give where the last whole line of each file ends, by inode and name.

    (A till may be amid a line, or have stopped there.) What cannot be read is left out.
    """
    ends = {}
    for path in files:
        with suppress(OSError), path.open("rb") as file:
            ends[os.fstat(file.fileno()).st_ino, path.name] = last_line_end(file.fileno())
    return ends


def _load_members(stack: Stack) -> None:
    """Invent 2,000 members, unless there are customers and the producer's pool.

    A first start may have been killed between the two; Hive's switch is the refresh's.
    """
    from batch.load import load_customers
    from producer.members import members_file
    from producer.pool import demo_customers

    is_loaded = Hdfs(stack.settings.webhdfs, user="spark").names(CUSTOMERS)
    if is_loaded and members_file(stack.places).exists():
        return
    file = stack.places.producer / "demo-customers.csv"
    file.write_text(demo_customers(), encoding="utf-8")
    load_customers(stack.settings, stack.places, file, demo=True)
    file.unlink()


def _refresh(stack: Stack) -> None:
    """Make today's snapshot, when there are customers to list."""
    from hive.refresh import NoCustomers, refresh

    end = time.monotonic() + BUSY_SECONDS
    while not stack.halt.is_set():
        try:
            refresh(stack.settings, stack.places, reason="start")
        except NoCustomers:
            return
        except Busy:
            # the schedule is at it, and may have looked before the last orders came; where it has
            # long to do, today's snapshot is its next run's
            if time.monotonic() > end:
                if stack.settings.is_scheduled:
                    return
                raise
            stack.halt.wait(0.5)
        else:
            return
