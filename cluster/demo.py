"""What the demo adds to a start: invented members, a producer, the first snapshot."""

from cluster.stack import Stack
from cluster.stamp import Stamp
from cluster.startup import Step
from pipeline.places import CUSTOMERS
from pipeline.programme import calendar
from pipeline.webhdfs import Hdfs


def demo_steps(
    stack: Stack, found: Stamp, *, empty: bool, rate: str | None, fresh: bool
) -> list[Step]:
    """Give the steps after the stages' own.

    A data folder begun empty, or one whose customers were loaded, gets nothing invented;
    its producer runs when it was asked for by `rate resume`. `fresh`: nothing ran before, so
    today's snapshot is made anew.
    """
    from producer.rate import DEFAULT, ask_rate, asked

    real = found.begun == "empty" or empty or (stack.places.data / "customers.loaded").exists()
    steps = []
    if empty or (real and asked(stack.places) is None):
        ask_rate(stack.places, "pause")
    if rate is not None or asked(stack.places) is None:
        ask_rate(stack.places, rate or DEFAULT)
    if not real:
        steps.append(
            Step(
                "members",
                "invented members",
                lambda: _load_members(stack),
                ("folders", "hive-tables"),
            )
        )
    if not empty and (state := asked(stack.places)) is not None and not state.paused:
        steps.append(
            Step("producer", "demo producer", lambda: stack.supervisor.start("producer"),
                 ("members", "flume", "streaming"))
        )  # fmt: skip
    if fresh:
        steps.append(
            Step("refresh", "snapshot of today", lambda: _refresh(stack),
                 ("members", "hive-tables", "streaming"))
        )  # fmt: skip
    return steps


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
    from hive.refresh import refresh

    if Hdfs(stack.settings.webhdfs, user="hive").names(CUSTOMERS):
        refresh(stack.settings, stack.places, calendar(stack.programme).today())
