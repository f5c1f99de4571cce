"""The comparison of a rebuild: rows that raw makes against live ones."""

from datetime import UTC, datetime, timedelta

import pytest

from batch.comparison import Comparison, Difference, Outcome
from batch.rebuild import Result
from pipeline.commands.rebuild import _show
from tests.unit.order_rows import NOON, line
from tests.unit.rebuild_rows import (
    DAY,
    changed,
    judge,
    live,
    origins,
    rebuilt,
    repaired,
    verdict,
)


def test_each_difference_is_printed_with_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    listed = [
        Difference("missing", DAY, None, b"7|1|A-1|1|SALE|3", ""),
        Difference("foreign", DAY, b"7|1|A-2|1|SALE|3", None, "in /f"),
        Difference("other", DAY, b"7|1|A-3|1|SALE|3", b"7|1|A-3|1|SALE|4", ""),
    ]
    counts = {"missing": 3, "foreign": 1, "other": 1}
    outcome = Outcome(rebuilt=1234, live=1232, counts=counts, listed=listed)
    _show(Result(outcome, damaged=["/g"], published=["/t/g=2"], kept=1).to_json())
    said = capsys.readouterr().out.splitlines()
    assert said[:10] == [
        f"{DAY}: missing in transactions_cln: 7|1|A-1|1|SALE",
        "  7|1|A-1|1|SALE|3",
        f"{DAY}: foreign in transactions_cln: 7|1|A-2|1|SALE (in /f)",
        "  7|1|A-2|1|SALE|3",
        f"{DAY}: other content in transactions_cln: 7|1|A-3|1|SALE",
        "  live    7|1|A-3|1|SALE|3",
        "  rebuilt 7|1|A-3|1|SALE|4",
        "/g: cannot be read",
        "… and 2 more",
        "1,234 rows rebuilt from HDFS raw, 1,232 live",
    ]
    assert said[10].startswith("3 missing in transactions_cln, 1 foreign in transactions_cln, 1 ")
    assert said[10].endswith(", 1 files that cannot be read")
    assert said[11] == "repaired: /t/g=2"
    assert said[12].startswith("1 foreign rows stay: ")


def test_the_same_rows_are_no_difference_however_often_raw_has_them(
    comparison: Comparison,
) -> None:
    outcome = judge(comparison, rebuilt(line(1), line(2), line(1)), live(line(2), line(1)))
    assert outcome == Outcome(rebuilt=2, live=2, counts={}, listed=[])
    assert comparison.partitions() == []


def test_a_row_that_is_not_there_is_missing(comparison: Comparison) -> None:
    outcome = judge(comparison, rebuilt(line(1), line(2)), live(line(1)))
    assert outcome.counts == {"missing": 1}
    (difference,) = outcome.listed
    assert difference.identity == f"7|{NOON}|A-2|1|SALE".encode()
    assert (difference.partition, difference.live) == (DAY, None)
    assert difference.rebuilt == line(2).encode()


def test_a_row_that_raw_has_not_is_foreign(comparison: Comparison) -> None:
    outcome = judge(comparison, rebuilt(line(1)), live(line(1), line(9)))
    assert outcome.counts == {"foreign": 1}
    assert outcome.listed[0].live == line(9).encode()
    assert outcome.listed[0].note == "in /f"


def test_the_same_event_twice_is_foreign_once(comparison: Comparison) -> None:
    outcome = judge(comparison, rebuilt(line(1)), live(line(1), line(1)))
    assert outcome.counts == {"foreign": 1}
    assert origins(repaired(comparison, (0, line(1)), (1, line(1)))) == [("A-1", 0)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("odr_prc", None),
        ("odr_tms", "01-04-2019 12:00:01"),
        ("quantity", 2),
        ("ref", ""),
        ("odr_hr", 6),
        ("ordered_at", datetime.fromtimestamp(NOON / 1000, tz=UTC) + timedelta(microseconds=1)),
    ],
)
def test_a_row_with_other_content_is_named_with_the_column(
    comparison: Comparison, column: str, value: object
) -> None:
    outcome = judge(comparison, rebuilt(line(1)), changed(live(line(1)), column, value))
    assert outcome.counts == {"other": 1}
    assert outcome.listed[0].note == f"{column} differ in /f"


def test_where_a_row_came_from_is_not_compared(comparison: Comparison) -> None:
    there = changed(changed(live(line(1)), "kafka_topic_id", None), "ingested_at", None)
    assert judge(comparison, rebuilt(line(1)), there).counts == {}


def test_beyond_the_cut_nothing_is_wrong(comparison: Comparison) -> None:
    there = live((5, line(1)), (10, line(9)))
    outcome = judge(
        comparison, rebuilt(line(1), line(2)), there, reached=10, beyond=(line(2), line(9))
    )
    assert outcome.counts == {}


@pytest.mark.parametrize("late", [False, True])
def test_a_line_once_future_counts_where_its_event_is_live(
    comparison: Comparison, late: bool
) -> None:
    there = live((8, line(1)), (9, line(2))) if late else live((8, line(1)))
    future = verdict(line(2), "FUTURE", 3)
    assert judge(comparison, rebuilt(line(1), line(2)), there, future).counts == {}


def test_a_conflict_is_decided_by_its_verdict_and_not_by_raws_order(
    comparison: Comparison,
) -> None:
    second = line(1, amount="1.00")
    conflict = verdict(second, "CONFLICT", 4)
    outcome = judge(comparison, rebuilt(second, line(1)), live((9, second)), conflict)
    assert outcome.counts == {"other": 1}
    assert outcome.listed[0].rebuilt == line(1).encode()


def test_a_row_whose_line_raw_lacks_is_not_replaced_by_one_that_it_contradicts(
    comparison: Comparison,
) -> None:
    """Raw has lost the first line of the event, and has the second one, a conflict."""
    second = line(1, amount="1.00")
    outcome = judge(comparison, rebuilt(second), live(line(1)), verdict(second, "CONFLICT", 4))
    assert outcome.counts == {"foreign": 1}
    assert origins(repaired(comparison, (0, line(1)), (4, second))) == [("A-1", 0)]


def test_a_conflict_without_verdict_stays_as_it_is_live(comparison: Comparison) -> None:
    second = line(1, amount="1.00")
    assert judge(comparison, rebuilt(line(1), second), live(second)).counts == {}


def test_of_two_contradicted_contents_the_one_contradicted_last_came_later(
    comparison: Comparison,
) -> None:
    second = line(1, amount="1.00")
    verdicts = verdict(second, "CONFLICT", 4), verdict(line(1), "CONFLICT", 7, minute=5)
    outcome = judge(comparison, rebuilt(line(1), second), live(), *verdicts)
    assert [difference.rebuilt for difference in outcome.listed] == [second.encode()]


def test_a_line_quarantined_by_older_rules_says_so(comparison: Comparison) -> None:
    outcome = judge(comparison, rebuilt(line(1)), live(), verdict(line(1), "ITEM", 4))
    assert outcome.listed[0].note == "quarantined as ITEM under older rules"
    # its offset stays quarantine's: a row under the same one would be twice there
    assert origins(repaired(comparison, (4, line(1)))) == [("A-1", None)]


def test_only_so_many_are_listed(comparison: Comparison) -> None:
    comparison.take_rebuilt([rebuilt(*(line(number) for number in range(9)))])
    outcome = comparison.judge(2)
    assert (outcome.counts, len(outcome.listed)) == ({"missing": 9}, 2)
