"""Duplicates and conflicts, within a batch and against stored rows."""

import pyarrow as pa

from streaming.identities import COMPARED, compare, lines
from tests.unit.order_rows import NOON, line, rows

NOTHING = rows().select(COMPARED)


def offsets(table: pa.Table) -> list[int]:
    """Give the offsets of rows, sorted."""
    return sorted(table["kafka_offset"].to_pylist())


def test_different_identities_are_all_fresh() -> None:
    batch = rows(line(1), line(2), line(2, customer=""), line(2, at=NOON + 1))
    found = compare(batch, NOTHING)
    assert offsets(found.fresh) == [0, 1, 2, 3]
    assert (found.reread, found.duplicates, len(found.conflicts)) == (0, 0, 0)


def test_the_same_line_again_is_a_duplicate() -> None:
    found = compare(rows(line(1), line(2), line(1), line(1)), NOTHING)
    assert offsets(found.fresh) == [0, 1]
    assert (found.reread, found.duplicates, len(found.conflicts)) == (0, 2, 0)


def test_other_content_is_a_conflict_and_the_lower_offset_stays() -> None:
    batch = rows(
        (9, line(1, amount="71.00")), (4, line(1)), (10, line(1)), (12, line(1, amount="71.00"))
    )
    found = compare(batch, NOTHING)
    assert offsets(found.fresh) == [4]
    assert offsets(found.conflicts) == [9, 12]
    assert found.duplicates == 1


def test_a_stored_row_came_first() -> None:
    stored = rows(line(1), line(2), topic="old").select(COMPARED)
    found = compare(rows(line(1), line(2, amount="1.00"), line(3)), stored)
    assert offsets(found.fresh) == [2]
    assert offsets(found.conflicts) == [1]
    assert (found.reread, found.duplicates) == (0, 1)


def test_a_line_read_again_is_neither_duplicate_nor_new() -> None:
    stored = rows(line(1), line(2)).select(COMPARED)
    found = compare(rows(line(1), line(2), line(1), line(2, amount="1.00")), stored)
    assert (found.reread, found.duplicates) == (2, 1)
    assert offsets(found.conflicts) == [3]
    assert len(found.fresh) == 0


def test_another_line_under_a_known_offset_is_judged_as_any() -> None:
    """Kafka may lose lines, unseen, and give their offsets to others."""
    stored = rows(line(1), line(2)).select(COMPARED)
    found = compare(rows(line(3), line(2, amount="1.00")), stored)
    assert (offsets(found.fresh), offsets(found.conflicts), found.reread) == ([0], [1], 0)


def test_walk_ins_are_compared_too() -> None:
    stored = rows(line(1, customer="")).select(COMPARED)
    found = compare(rows((5, line(1, customer="")), (6, line(1, customer=7))), stored)
    assert (offsets(found.fresh), found.duplicates) == ([6], 1)


def test_no_rows_at_all() -> None:
    found = compare(rows(), NOTHING)
    assert (len(found.fresh), found.reread, found.duplicates, len(found.conflicts)) == (0, 0, 0, 0)


def test_lines_come_back_byte_for_byte() -> None:
    texts = [
        line(1), line(2, customer=""), line(3, amount="0.05"), line(4, amount="9999999.99"),
        f"7|{NOON}|A-5|999|REFUND|3|crème ☕|12|0.50|A-1", f"7|{NOON}|A-6|1|REDEEM|3|gift|9|0.00|",
    ]  # fmt: skip
    assert lines(rows(*texts)) == [text.encode() for text in texts]
    assert lines(rows()) == []
