"""The tests' own stacks: data folders and ports of their own, started by the first test that asks.

They run beside a running `up`. Nothing is mocked: the servers are the product's.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from drill.stack import OwnStack, own_stack
from tests.integration.oracle import Reckoning, reckon
from tests.integration.warehouse import Warehouse, own_warehouse
from tests.shared_data import CUSTOMERS, PRODUCTS, RECEIPTS, require_data

SHARED: Final = ("stack", "broken_stack", "quiet_stack")
"""The stacks that modules share. The busiest begins, and beside it, in the other process, the tests
without servers: these wait much, and leave it the cores.
"""
LONG: Final = ("test_compose", "test_drill_disk", "test_demo", "test_existing_servers")
"""The modules with stacks of their own that take longest, the longest one first: so both processes
end at about the same time.
"""
LAST: Final = ("test_drill_hostile", "test_drill_comparison")
"""The one writes 100 MB into its stack's log, which others would have to read; the other leaves
doubled lines, which others would find."""
FILLERS: Final = ("test_wrong_uses",)
"""Many short tests without servers: while one process is still at the last stack, the other one has
them, and those that need a Spark but no server.
"""

_running: dict[str, ExitStack] = {}


@pytest.hookimpl(tryfirst=True)  # xdist looks at the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a stack in one process; two processes share the tests (pytest-xdist)."""
    groups = {item: _group(item) for item in items}
    ranks = {name: rank for rank, name in enumerate((SHARED[0], "", *SHARED[1:], *LONG))}
    items.sort(key=lambda item: (
        _fills(item), ranks.get(groups[item], len(ranks)), item.path.stem in LAST
    ))  # fmt: skip
    for item, group in groups.items():
        if group:
            item.add_marker(pytest.mark.xdist_group(group))


def _group(item: pytest.Item) -> str:
    """Give the shared stack of a test, or its module; nothing for one without servers."""
    if Path(__file__).parent not in item.path.parents:
        return ""
    names = getattr(item, "fixturenames", ())
    return next((name for name in SHARED if name in names), item.path.stem)


def _fills(item: pytest.Item) -> bool:
    if _group(item):
        return False
    return item.path.stem in FILLERS or "spark" in getattr(item, "fixturenames", ())


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Take a shared stack down after the last of its tests: an idle one takes from the others."""
    group = _group(item)
    if nextitem is None or _group(nextitem) != group:
        _running.pop(group, ExitStack()).close()


def _start(name: str, **settings: str) -> OwnStack:
    """Start a shared stack, with nothing in it."""
    _running[name] = ExitStack()
    return _running[name].enter_context(own_stack(**settings))


@pytest.fixture(scope="session")
def stack() -> OwnStack:
    """Start one stack for all tests that need no other one."""
    return _start("stack", trigger_seconds="2")


@pytest.fixture(scope="session")
def broken_stack() -> OwnStack:
    """Start one stack for all drills.

    Each drill leaves it whole: everything runs and has read to the end of the log. (The stream
    works as often as a user's: a batch every two seconds, under load, is dear.)
    """
    return _start("broken_stack")


@pytest.fixture(scope="session")
def quiet_stack() -> OwnStack:
    """Start one stack to which few lines are written.

    Some tests have all of them read again, others work in folders of their own.
    """
    return _start("quiet_stack", trigger_seconds="2")


@pytest.fixture(scope="session")
def customers(stack: OwnStack) -> Path:
    """Load the chain's own customers, whom every test leaves in place; give their file."""
    require_data()
    result = json.loads(stack.ok("customers", "load", str(CUSTOMERS), "--json"))
    assert (result["rows"], result["rejected"]) == (2246, 0)
    return CUSTOMERS


@pytest.fixture(scope="session")
def week(stack: OwnStack, customers: Path) -> Reckoning:
    """Replay the receipts once, and let every hop catch up."""
    stack.ok("replay", str(RECEIPTS), "--products", str(PRODUCTS))
    verified = json.loads(stack.ok("verify", "--wait", "--json"))
    assert verified["ok"], verified["differences"]
    stack.ok("refresh", "--data-dt", "2019-04-05")
    return reckon()


@pytest.fixture
def warehouse(quiet_stack: OwnStack) -> Iterator[Warehouse]:
    """Make a database with the product's tables for one test."""
    with own_warehouse(quiet_stack) as made:
        yield made
