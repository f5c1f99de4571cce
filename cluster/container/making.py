"""What is looked at or made before the first order, each by a container that ends then."""

import sys
from collections.abc import Callable

from cluster import stamp
from cluster.demo import demo_steps, settle_history
from cluster.given import ask_given
from cluster.stack import Stack
from cluster.startup import Step, run_steps
from pipeline.errors import Refused


def make(stack: Stack, what: str) -> None:
    """Make `settings` sure, `storage` (folders, topic), the tables, or the `demo`."""
    tasks: dict[str, Callable[[], None]] = {
        "settings": lambda: _settings(stack),
        "storage": stack.make_storage,
        "hbase-tables": stack.make_hbase_tables,
        "hive-tables": stack.make_hive_tables,
        "demo": lambda: _demo(stack),
    }
    tasks[what]()


def _settings(stack: Stack) -> None:
    """Look whether the settings fit the data and the given servers answer, before anybody starts.

    Raises Refused or Unavailable where not.
    """
    settings, zone = stack.settings, stack.programme.time_zone
    found = stamp.read_stamp(settings)
    if found is not None:
        stamp.check_stamp(found, settings, zone)
    ask_given(settings)
    if found is None:  # what is stamped, given servers too, stays so
        stamp.write_stamp(settings, zone, "demo" if settings.producer else "empty")


def _demo(stack: Stack) -> None:
    """Invent members and their past, unless the stack is for a chain's own; make a snapshot."""
    empty, found = not stack.settings.producer, stamp.read_stamp(stack.settings)
    if found is None:
        raise Refused("The data folder has no stamp; `docker compose up -d` makes it first.")
    past = settle_history(stack, found, empty=empty, asked=None)
    steps = demo_steps(stack, found, empty=empty, rate=None, traffic={}, past=past, fresh=True)
    run_steps(steps, _told, stack.halt)


def _told(step: Step, seconds: float) -> None:
    sys.stderr.write(f"{step.title} {seconds:.1f} s\n")
