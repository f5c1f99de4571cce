"""The tests' own stacks: data folders and ports of their own, started by the first test that asks.

They run beside a running `up`. Nothing is mocked: the servers are the product's.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from drill.stack import OwnStack, own_stack
from tests.integration.oracle import Reckoning, reckon
from tests.integration.warehouse import Warehouse, own_warehouse
from tests.shared_data import CUSTOMERS, PRODUCTS, RECEIPTS, require_data

SHARED: Final = ("broken_stack", "stack", "small_log")
"""The stacks of a session; the one whose tests take longest comes first."""


@pytest.hookimpl(tryfirst=True)  # xdist looks at the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a stack in one process; two processes share the tests (pytest-xdist)."""
    groups = {item: _group(item) for item in items}
    ranks = {"": 0} | {name: rank for rank, name in enumerate(SHARED, start=1)}
    items.sort(key=lambda item: ranks.get(groups[item], len(ranks)))
    for item, group in groups.items():
        if group:
            item.add_marker(pytest.mark.xdist_group(group))


def _group(item: pytest.Item) -> str:
    """Give the shared stack of a test, or its module; nothing for one without servers."""
    if Path(__file__).parent not in item.path.parents:
        return ""
    names = getattr(item, "fixturenames", ())
    return next((name for name in SHARED if name in names), item.path.stem)


@pytest.fixture(scope="session")
def stack() -> Iterator[OwnStack]:
    """Start one empty stack for the session, and take it down with its data at the end."""
    with own_stack(trigger_seconds="1") as running:
        yield running


@pytest.fixture(scope="session")
def week(stack: OwnStack) -> Reckoning:
    """Load the customers, replay the receipts once, and let every hop catch up."""
    require_data()
    stack.ok("customers", "load", str(CUSTOMERS))
    stack.ok("replay", str(RECEIPTS), "--products", str(PRODUCTS))
    verified = json.loads(stack.ok("verify", "--wait", "--json"))
    assert verified["ok"], verified["differences"]
    stack.ok("refresh", "--data-dt", "2019-04-05")
    return reckon()


@pytest.fixture(scope="session")
def broken_stack() -> Iterator[OwnStack]:
    """Start one stack for all drills of the session, beside the other tests' stack.

    Each drill leaves it whole: everything runs and has read to the end of the log.
    """
    with own_stack(trigger_seconds="1") as running:
        yield running


@pytest.fixture(scope="session")
def small_log() -> Iterator[OwnStack]:
    """Start one stack whose log files stay small: its tests have all of them read again."""
    with own_stack(trigger_seconds="1") as running:
        yield running


@pytest.fixture
def warehouse(stack: OwnStack) -> Iterator[Warehouse]:
    """Make a database with the product's tables for one test."""
    with own_warehouse(stack) as made:
        yield made
