"""How a batch is split into files."""

import pytest

from streaming.ranges import GAP_MS, holds_any, pieces
from tests.unit.order_rows import NOON, line, rows

DAY = 86_400_000


def ranges(*instants: int, most_rows: int = 250_000) -> list[tuple[str, int, int, int]]:
    """Give (day, first and last instant after NOON, rows) of the files for some instants."""
    batch = rows(*(line(n, at=NOON + at) for n, at in enumerate(instants)))
    return [
        (p.partition.removeprefix("odr_dt=2019-04-"), p.low - NOON, p.high - NOON, len(p.rows))
        for p in pieces(batch, most_rows)
    ]


def test_one_file_where_neighbours_are_close() -> None:
    assert ranges(GAP_MS, 0, 2 * GAP_MS) == [("01/odr_hr=0", 0, 2 * GAP_MS, 3)]


def test_a_late_line_gets_a_file_of_its_own() -> None:
    late = -3_600_000
    assert ranges(0, late, 5) == [("01/odr_hr=0", late, late, 1), ("01/odr_hr=0", 0, 5, 2)]


def test_a_file_for_each_day() -> None:
    assert [day for day, *_ in ranges(0, DAY, 1)] == ["01/odr_hr=0", "02/odr_hr=0"]


def test_at_most_eight_files_cut_at_the_widest_gaps() -> None:
    # twelve instants two minutes apart, but seven of the gaps are wider
    instants = [0]
    for number in range(11):
        instants.append(instants[-1] + 2 * GAP_MS + (number if number < 7 else 0) * 1000)
    found = ranges(*instants)
    assert len(found) == 8
    assert sum(count for *_, count in found) == 12
    assert [low for _, low, _, _ in found[1:]] == [instants[n + 1] for n in range(7)]


def test_a_batch_of_many_days_has_few_files_a_day() -> None:
    days = 24
    instants = [day * DAY + at * 2 * GAP_MS for day in range(days) for at in range(4)]
    found = ranges(*instants)
    assert len(found) == 2 * days, "64 files a batch, shared by 24 partitions"
    assert sum(count for *_, count in found) == len(instants)


def test_a_file_has_a_bounded_number_of_rows() -> None:
    assert [count for *_, count in ranges(*range(10), most_rows=4)] == [4, 4, 2]
    assert [count for *_, count in ranges(*range(4), most_rows=4)] == [4]


def test_no_rows_no_files() -> None:
    assert ranges() == []


def test_rows_of_a_file_are_sorted() -> None:
    (piece,) = pieces(rows(line(1, at=NOON + 2), line(2, at=NOON), line(3, at=NOON + 1)))
    assert piece.rows["order_id"].to_pylist() == ["A-2", "A-3", "A-1"]


@pytest.mark.parametrize(
    ("low", "high", "held"),
    [
        (0, 9, False),
        (0, 10, True),
        (10, 10, True),
        (11, 19, False),
        (20, 99, True),
        (21, 99, False),
    ],
)
def test_a_file_is_read_only_if_it_can_hold_one_of_the_instants(
    low: int, high: int, held: bool
) -> None:
    assert holds_any(low, high, [10, 20]) is held
