"""The comparison of a rebuild: rows that raw makes against live ones; and what a repair writes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from batch.comparison import Comparison, Outcome, open_comparison
from batch.master import KEPT
from batch.origins import find_origins, repaired_rows
from streaming.files import QUARANTINE, TRANSACTIONS
from tests.unit.order_rows import APPENDED, NOON, line, rows

DAY = "odr_dt=2019-04-01/odr_hr=0"
LIVE = [*TRANSACTIONS.names, "odr_dt", "odr_hr"]


@pytest.fixture
def comparison(tmp_path: Path) -> Iterator[Comparison]:
    with open_comparison(tmp_path) as opened:
        yield opened


def rebuilt(*lines: str) -> pa.Table:
    """Give the rows that raw lines make, in their order."""
    made = rows(*lines)
    return made.select(KEPT).append_column("place", made["kafka_offset"])


def live(*lines: str | tuple[int, str], file: str = "/f") -> pa.Table:
    """Give rows as the table has them, at offsets of topic t's partition 0."""
    made = rows(*lines).select(LIVE)
    return made.append_column("file", pa.array([file] * len(made), pa.string()))


def changed(table: pa.Table, column: str, value: object) -> pa.Table:
    """Give the rows with another value in one column."""
    at = table.schema.get_field_index(column)
    values = pa.array([value] * len(table), table.schema.field(column).type)
    return table.set_column(at, column, values)


def verdict(text: str, reason: str, offset: int, minute: int = 0) -> pa.Table:
    """Give a row of quarantine."""
    seen_at = APPENDED + timedelta(minutes=minute)
    return pa.Table.from_pylist(
        [{"raw": text.encode(), "reason": reason, "kafka_topic_id": "t", "kafka_partition": 0,
          "kafka_offset": offset, "seen_at": seen_at}], QUARANTINE,
    )  # fmt: skip


def judge(
    comparison: Comparison,
    made: pa.Table,
    there: pa.Table,
    *verdicts: pa.Table,
    reached: int = 1000,
    beyond: tuple[str, ...] = (),
) -> Outcome:
    comparison.take_rebuilt([made])
    comparison.take_live([there], "t", {0: reached})
    comparison.take_verdicts(verdicts)
    comparison.take_beyond(
        [pa.table({"line": pa.array([b.encode() for b in beyond], pa.binary())})]
    )
    return comparison.judge(20)


def messages(*lines: tuple[int, str]) -> pa.Table:
    """Give messages of the topic, appended an hour after APPENDED."""
    ts = int((APPENDED + timedelta(hours=1)).timestamp() * 1000)
    return pa.table({
        "line": pa.array([text.encode() for _, text in lines], pa.binary()),
        "p": pa.array([0] * len(lines), pa.int32()),
        "off": pa.array([offset for offset, _ in lines], pa.int64()),
        "ts": pa.array([ts] * len(lines), pa.int64()),
    })  # fmt: skip


def repaired(comparison: Comparison, *lines: tuple[int, str], held: int = 0) -> pa.Table:
    find_origins(comparison, [messages(*lines)], "t", {0: held})
    return repaired_rows(comparison, DAY).sort_by("order_id")


def origins(table: pa.Table) -> list[tuple[str, int | None]]:
    columns = (table[name].to_pylist() for name in ("order_id", "kafka_offset"))
    return list(zip(*columns, strict=True))


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


def test_a_repair_keeps_what_was_there_and_adds_what_the_topic_knows(
    comparison: Comparison,
) -> None:
    there = live((5, line(1)), (7, line(3)))
    made = rebuilt(line(1), line(2), line(3), line(4))
    judge(comparison, made, there, verdict(line(2), "FUTURE", 6), verdict("x", "FIELDS", 1))
    # FUTURE and not live: it is not missing
    table = repaired(comparison, (8, line(4)), (5, line(1)), (9, line(4)))
    assert origins(table) == [("A-1", 5), ("A-3", 7), ("A-4", 8)]
    assert table["ingested_at"].to_pylist() == [APPENDED, APPENDED, APPENDED + timedelta(hours=1)]
    assert table["kafka_topic_id"].to_pylist() == ["t", "t", "t"]


def test_a_line_that_the_topic_holds_no_longer_has_no_origin(comparison: Comparison) -> None:
    judge(comparison, rebuilt(line(1)), live())
    table = repaired(comparison, held=10)
    assert origins(table) == [("A-1", None)]
    assert table["ingested_at"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("held", "found", "offset"),
    [(0, ((5, line(1)), (2, line(1))), 5),
     (0, ((6, line(1)),), 6),
     (0, (), None),
     (6, (), 5)],
)  # fmt: skip
def test_other_content_keeps_its_offset_unless_the_topic_knows_better(
    comparison: Comparison, held: int, found: tuple[tuple[int, str], ...], offset: int | None
) -> None:
    judge(comparison, rebuilt(line(1)), live((5, line(1, amount="9.99"))))
    assert origins(repaired(comparison, *found, held=held)) == [("A-1", offset)]


def test_rows_beyond_the_cut_stay_in_a_repaired_partition(comparison: Comparison) -> None:
    judge(comparison, rebuilt(line(1)), live((50, line(9))), reached=10)
    assert origins(repaired(comparison, (3, line(1)))) == [("A-1", 3), ("A-9", 50)]


def test_what_raw_lacks_and_the_topic_has_is_not_taken_away(comparison: Comparison) -> None:
    judge(comparison, rebuilt(line(1)), live(line(1), line(8), line(9)))
    assert find_origins(comparison, [messages((2, line(9)))], "t", {0: 0}) == 1
    assert origins(repaired_rows(comparison, DAY).sort_by("order_id")) == [("A-1", 0), ("A-9", 2)]
