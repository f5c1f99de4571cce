"""`drill refeed`: what counts as a change of the tables, and what is fed in again."""

from dataclasses import replace
from pathlib import Path

from drill.losses import LOSSES, _forget_newer_half
from drill.refeed import appended, feed_again, unfed, unread
from drill.tables import State, differences

BEFORE = State(
    {"2019-04-01": (2, "11 12", "21 22"), "2019-04-02": (1, "13 14", "23 24")},
    frozenset({("FIELDS", "aa"), ("FUTURE", "bb")}),
)


def test_the_same_tables_have_no_differences() -> None:
    assert differences(BEFORE, replace(BEFORE, rows=dict(BEFORE.rows))) == []


def test_a_row_more_another_field_and_another_offset_are_told() -> None:
    day = "2019-04-01"
    for changed, says in (
        ((3, "11 12", "21 22"), "had 2 rows and has 3 others"),
        ((2, "11 99", "21 99"), "had 2 rows and has 2 others"),
        ((2, "11 12", "21 99"), "same lines with other offsets"),
    ):
        (found,) = differences(BEFORE, replace(BEFORE, rows=BEFORE.rows | {day: changed}))
        assert day in found
        assert says in found
    gone = {d: row for d, row in BEFORE.rows.items() if d != day}
    assert "had 2 rows and has 0 others" in differences(BEFORE, replace(BEFORE, rows=gone))[0]


def test_a_line_more_or_less_in_quarantine_is_told() -> None:
    other = replace(BEFORE, quarantined=frozenset({("FIELDS", "aa"), ("CONFLICT", "bb")}))
    assert [says.split(",")[0] for says in differences(BEFORE, other)] == [
        "1 lines are no longer in quarantine",
        "1 lines are new in quarantine",
    ]


def test_each_log_file_is_copied_whole_under_a_new_name(tmp_path: Path) -> None:
    for name in ("orders-20190401-000001.log", "orders-till.log", "other.txt"):
        (tmp_path / name).write_text(f"{name}\n")
    feed_again(tmp_path)
    copies = [p.read_text() for p in tmp_path.glob("orders-again-*.log")]
    assert sorted(copies) == ["orders-20190401-000001.log\n", "orders-till.log\n"]
    assert not list(tmp_path.glob("*.part"))
    feed_again(tmp_path)  # and its own copies are not copied again
    assert len(list(tmp_path.glob("orders-again-*.log"))) == 4


def test_readers_are_stopped_before_what_they_read_and_everything_is_lost_once() -> None:
    assert LOSSES["everything"].stopped == LOSSES["topic"].stopped == ("streaming", "flume")
    assert {loss.component for loss in LOSSES.values()} == {"flume", "streaming", "kafka"}


def test_the_newer_half_of_a_log_is_forgotten_with_its_checksums(tmp_path: Path) -> None:
    for name in ("8", "9", "10", "11", "12", ".8.crc", ".12.crc", "metadata"):
        (tmp_path / name).touch()
    _forget_newer_half(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"8", "9", ".8.crc", "metadata"}


def test_what_was_fed_in_again_is_counted_in_the_topic() -> None:
    assert appended(("a", {0: 70, 1: 30}), ("a", {0: 90, 1: 40})) == 30
    assert appended(("a", {0: 70}), ("b", {0: 40})) == 40, "a topic made anew had nothing"
    for name, loss in LOSSES.items():
        assert bool(unfed(loss, 100, 99)) is loss.feeds, name
        assert unfed(loss, 100, 100) == []
        assert bool(unread(loss, 100, 99)) is loss.rereads, name
        assert unread(loss, 100, 100) == []
