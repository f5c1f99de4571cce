"""When a batch goes on, when it is the last one again, and when an epoch begins."""

from dataclasses import replace

from streaming.epochs import Offsets, place, with_counts, with_traced
from streaming.staging import Counts, Gap, Move, Record

LAST = Record(
    epoch=3, batch=7, topic_id="t", offsets={0: (100, 199), 1: (40, 49)}, since={0: 20, 1: 0},
    next={0: 200, 1: 50}, counts=Counts(110, 110), totals=Counts(230, 220, 6, 4),
    moves=(Move("0000.parquet", "/x/g=1/a.parquet"),),
)  # fmt: skip


def placed(batch: int, offsets: Offsets, topic: str = "t", last: Record | None = LAST) -> Record:
    """Place a batch that must not be a rerun."""
    found = place(last, lambda: 5, topic, batch, offsets)
    assert not found.is_rerun
    return found.record


def test_the_first_batch_of_all() -> None:
    first = with_counts(placed(0, {0: (10, 19)}, last=None), Counts(10, 9, 1))
    assert (first.epoch, first.since, first.next) == (6, {0: 10}, {0: 20})
    assert first.totals == first.counts == Counts(10, 9, 1)
    assert first.gaps == (Gap("t", 0, 0, 9),), "nobody can tell whether they were ever read"


def test_the_next_batch_goes_on() -> None:
    record = with_counts(placed(8, {0: (200, 204), 2: (0, 4)}), Counts(10, 8, 1, 1))
    assert (record.epoch, record.batch, record.moves) == (3, 8, ())
    assert record.since == {0: 20, 1: 0, 2: 0}
    assert record.next == {0: 205, 1: 50, 2: 5}
    assert record.totals == Counts(240, 228, 7, 5)
    # Spark may count a batch that had no lines
    assert placed(9, {0: (200, 204)}).epoch == 3


def test_the_same_offsets_again_are_a_rerun() -> None:
    assert place(LAST, lambda: 5, "t", 7, LAST.offsets) == (LAST, True)


def test_nothing_is_a_rerun_of_what_a_repair_has_changed() -> None:
    """It takes rows away, and has the whole topic read again: as batch 0, perhaps once more."""
    placed = place(LAST, lambda: 5, "t", 7, LAST.offsets, is_recounted=True)
    assert (placed.is_rerun, placed.record.epoch) == (False, 6)


def test_other_offsets_under_the_same_number_begin_an_epoch() -> None:
    record = with_counts(placed(7, {0: (100, 198), 1: (40, 49)}), Counts(109, 109))
    assert (record.epoch, record.since, record.totals) == (6, {0: 100, 1: 40}, Counts(109, 109))
    assert record.gaps == ()


def test_a_checkpoint_lost_or_restored_begins_an_epoch() -> None:
    assert placed(0, {0: (0, 199), 1: (0, 49)}).epoch == 6
    assert placed(4, {0: (60, 80)}).epoch == 6
    assert placed(8, {0: (150, 240)}).epoch == 6


def test_a_new_epoch_keeps_what_was_handled_of_partitions_without_lines() -> None:
    record = with_counts(placed(4, {0: (60, 80)}), Counts(21, 21))
    assert (record.since, record.next) == ({0: 60, 1: 50}, {0: 81, 1: 50})
    # so a jump in them is still seen
    assert placed(5, {1: (55, 60)}, last=record).gaps == (Gap("t", 1, 50, 54),)
    other = with_counts(placed(4, {0: (60, 80)}, topic="new"), Counts(21, 21))
    assert (other.since, other.next) == ({0: 60}, {0: 81})


def test_another_topic_begins_an_epoch_and_names_what_may_be_missing() -> None:
    record = placed(8, {0: (200, 204)}, topic="new")
    assert (record.epoch, record.topic_id) == (6, "new")
    of_the_old = (Gap("t", 0, 200, None), Gap("t", 1, 50, None))
    assert record.gaps == (*of_the_old, Gap("new", 0, 0, 199))
    assert placed(8, {0: (0, 4)}, topic="new").gaps == of_the_old
    # the same topic, read again under another name: what has expired since was read before
    assert placed(8, {0: (150, 199), 1: (0, 9)}, topic="t.2").gaps == of_the_old
    assert placed(8, {0: (250, 299)}, topic="t.2").gaps == (*of_the_old, Gap("t.2", 0, 200, 249))


def test_expired_offsets_begin_an_epoch_and_are_named() -> None:
    record = placed(0, {0: (250, 299), 1: (30, 60)})
    assert record.gaps == (Gap("t", 0, 200, 249),)
    # and those of a partition that was never read
    new = placed(8, {0: (200, 204), 2: (5, 9)})
    assert (new.epoch, new.gaps) == (6, (Gap("t", 2, 0, 4),))
    # they stay named
    assert placed(1, {0: (300, 301)}, last=with_counts(record, Counts())).gaps == record.gaps


def test_when_the_last_lines_came_is_known_as_long_as_they_are_the_last() -> None:
    last = replace(LAST, appended={0: 7, 1: 8})
    assert placed(8, {0: (200, 204)}, last=last).appended == {0: 7, 1: 8}
    assert placed(4, {0: (60, 80)}, last=last).appended == {0: 7, 1: 8}
    assert placed(0, {0: (0, 4)}, topic="new", last=last).appended == {}


def test_what_the_tables_tell_of_the_topic_was_read_before() -> None:
    record = replace(LAST, reached={0: 5, 1: 9})
    traced = replace(LAST, reached={0: 7, 1: 8, 2: 3})
    assert with_traced(record, traced).reached == {0: 7, 1: 9, 2: 3}
    assert with_traced(record, replace(traced, topic_id="another")) == record
    assert with_traced(record, None) == record


def test_a_record_comes_back_from_its_file() -> None:
    record = replace(LAST, gaps=(Gap("t", 0, 1, None),), appended={0: 7, 1: 8})
    assert Record.from_json(record.to_json()) == record
