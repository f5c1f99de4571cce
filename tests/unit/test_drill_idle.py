"""What an idle stack may cost, without one."""

import pytest

from drill.cost import Cost, total
from drill.idle import over


@pytest.mark.parametrize(
    ("cost", "says"),
    [
        (Cost(0.10, 2560), []),
        (Cost(0.101, 2560), ["idle it takes 0.101 core, and 0.10 is the most"]),
        (Cost(0.05, 2561), ["idle it has 2,561 MiB, and 2,560 is the most"]),
    ],
)
def test_what_is_above_the_budget_is_a_complaint(cost: Cost, says: list[str]) -> None:
    assert over(cost) == says


def test_the_whole_is_the_sum() -> None:
    costs = {"kafka": Cost(0.03, 170), "hbase": Cost(0.02, 280)}
    assert total(costs) == Cost(0.05, 450)
