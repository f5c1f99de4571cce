"""What several unit tests need."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from batch.comparison import Comparison, open_comparison

DEAR: Final = ("spark", "verdicts")
"""Fixtures that cost half a minute: the tests that share one are kept in one process."""


@pytest.hookimpl(tryfirst=True)  # xdist looks at the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each of the dear fixtures be made once in the unit tests (pytest-xdist).

    The items are those of all folders, and of two groups of one xdist would make a third.
    """
    for item in items:
        for name in set(DEAR) & set(getattr(item, "fixturenames", ())):
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture
def comparison(tmp_path: Path) -> Iterator[Comparison]:
    """A rebuild's comparison, with nothing in it yet."""
    with open_comparison(tmp_path) as opened:
        yield opened
