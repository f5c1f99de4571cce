"""What a growing history may cost a refresh, without a stack."""

import pytest

from drill.growth import growing
from drill.verdict import Row


@pytest.mark.parametrize(("last", "is_right"), [(1.0, True), (2.5, True), (2.6, False)])
def test_a_quarter_more_is_the_most(last: float, is_right: bool) -> None:
    rows = [Row("refresh", "after …", 0, 0, seconds, 1000) for seconds in (2.0, 9.0, last)]
    said = growing(rows)
    assert (said == []) is is_right
    assert is_right or said[0].startswith("a refresh takes 1.30 times as long")
