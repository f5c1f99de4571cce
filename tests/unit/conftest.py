"""What several unit tests need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from batch.comparison import Comparison, open_comparison


@pytest.fixture
def comparison(tmp_path: Path) -> Iterator[Comparison]:
    """A rebuild's comparison, with nothing in it yet."""
    with open_comparison(tmp_path) as opened:
        yield opened
