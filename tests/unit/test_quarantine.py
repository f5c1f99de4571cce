"""The list of quarantine by reason, its samples, and what is sent again."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from rich.cells import cell_len

from pipeline.commands.quarantine import COLUMNS, shortened
from pipeline.order import FUTURE_MS, MAX_LINE_BYTES
from producer.again import Plan, plan, write_again
from streaming.verdicts import SAMPLES, by_reason
from tests.unit.order_rows import NOON, line

BEGIN = datetime(2026, 11, 24, 12, tzinfo=UTC)


def verdicts(*rows: tuple[bytes, str, int]) -> pa.Table:
    """Give rows of raw, reason and seen_at (in seconds after BEGIN)."""
    return pa.table({
        "raw": pa.array([raw for raw, _, _ in rows], pa.binary()),
        "reason": [reason for _, reason, _ in rows],
        "seen_at": [BEGIN + timedelta(seconds=at) for _, _, at in rows],
    })  # fmt: skip


def test_reasons_are_counted_over_files_in_the_order_of_the_rules() -> None:
    files = [
        verdicts((b"x", "ITEM", 5), (b"y", "FIELDS", 1), (b"y", "FIELDS", 2)),
        verdicts((b"z", "CONFLICT", 0), (b"w", "ITEM", 3)),
    ]
    found = by_reason(files)
    assert [(r.name, r.count) for r in found] == [("FIELDS", 2), ("ITEM", 2), ("CONFLICT", 1)]
    assert found[1].newest == BEGIN + timedelta(seconds=5)
    assert [raw for _, raw in found[1].samples] == [b"x", b"w"]


def test_samples_are_the_newest_different_lines() -> None:
    many = verdicts(*((b"%d" % (at // 2), "FIELDS", at) for at in range(20)))
    older = verdicts((b"old", "FIELDS", -1))
    (reason,) = by_reason([many, older])
    assert reason.count == 21
    assert [raw for _, raw in reason.samples] == [b"9", b"8", b"7"][:SAMPLES]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"bad|line", "bad|line"),
        (b"\x1b[2J\x00\xff", r"\x1b[2J\x00\xff"),
        ("a\u202eb\u200bc".encode(), r"a\u202eb\u200bc"),
        (b"x" * 500, "x" * (COLUMNS - 1) + "…"),
        (b"", ""),
    ],
)
def test_a_sample_is_safe_and_short(raw: bytes, text: str) -> None:
    assert shortened(raw) == text


@pytest.mark.parametrize("character", ["漢", "e\u0301", "👩🏽"])
def test_a_sample_of_wide_or_combined_characters_is_short_too(character: str) -> None:
    text = shortened((character * 60).encode())
    assert cell_len(text) <= COLUMNS
    assert len(text) <= COLUMNS


def test_a_plan_counts_different_lines_and_what_is_still_bad() -> None:
    ahead = line(2, at=NOON + FUTURE_MS + 1).encode()
    raws = [b"bad", b"bad", line(1).encode(), ahead, b"x" * MAX_LINE_BYTES, b"two\nlines"]
    assert plan(raws, NOON) == Plan(rows=6, lines=3, still_bad=2, left_out=2)
    assert plan(raws, NOON + 1) == Plan(rows=6, lines=3, still_bad=1, left_out=2)


def test_each_line_is_written_once_and_reaches_the_topic_as_it_was() -> None:
    written: list[bytes] = []
    raws = [b"a", b"b\r", b"a", b"", b"x" * MAX_LINE_BYTES, b"\xff\x00"]
    assert write_again(raws, written.append) == 4
    # Flume takes away the line feed, and one CR before it
    assert written == [b"a\n", b"b\r\r\n", b"\n", b"\xff\x00\n"]
