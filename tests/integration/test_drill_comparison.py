"""Without the comparison of files the count fails: every line comes twice.

`./loyalty drill controls`, reduced to the control whose doubled lines stay: so it is the last test
of its stack (conftest.py). The others are in test_drill_controls.py.
"""

import re

import pytest

from drill import controls
from drill.controls import LAST, run
from drill.plan import Plan
from drill.stack import OwnStack


def test_without_the_comparison_the_count_finds_doubled_lines(
    quiet_stack: OwnStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(controls, "LOAD_SECONDS", 5)
    outcome = run(quiet_stack, Plan(LAST, None, 100, 20261125), lambda _: None)
    assert outcome.ok, outcome.complaints
    (row,) = outcome.rows
    assert row.component == "streaming"
    assert row.lines > 0
    assert re.search(r"without comparison: .*[1-9][0-9,]* duplicated", row.done), row
