"""What the servers hold before the first order, each made by a container that ends then."""

import sys

from cluster import stamp
from cluster.demo import demo_steps, settle_history
from cluster.stack import Stack
from cluster.startup import Step, run_steps


def make(stack: Stack, what: str) -> None:
    """Make `storage` (folders, topic), `tables` (of HBase and Hive) or the `demo`."""
    if what == "demo":
        _demo(stack)
    else:
        {"storage": stack.make_storage, "tables": stack.make_tables}[what]()


def _demo(stack: Stack) -> None:
    """Invent members and their past, unless the stack is for a chain's own; make a snapshot."""
    settings, zone = stack.settings, stack.programme.time_zone
    empty = not settings.producer
    found = stamp.read_stamp(settings)
    if found is None:
        found = stamp.write_stamp(settings, zone, "empty" if empty else "demo")
    stamp.check_stamp(found, settings, zone)
    past = settle_history(stack, found, empty=empty, asked=None)
    steps = demo_steps(stack, found, empty=empty, rate=None, traffic={}, past=past, fresh=True)
    run_steps(steps, _told, stack.halt)


def _told(step: Step, seconds: float) -> None:
    sys.stderr.write(f"{step.title} {seconds:.1f} s\n")
