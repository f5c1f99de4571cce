"""The stream's writer on real HDFS, in folders of its own: killed between any two steps."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa
import pytest

from drill.stack import OwnStack
from pipeline.errors import LoyaltyError
from pipeline.places import STAGING
from pipeline.webhdfs import Hdfs
from streaming import staging
from streaming.batches import BatchWriter
from streaming.epochs import place
from streaming.files import encode, read_data_name
from streaming.identities import ORIGIN
from streaming.identities import lines as lines_of
from streaming.staging import Counts, Gap, Record
from streaming.topic_name import append_times
from tests.integration.oracle import Reckoning
from tests.integration.trial import DAY, Trial, own_trial
from tests.unit.order_rows import NOON, line, rows


@pytest.fixture
def trial(stack: OwnStack) -> Iterator[Trial]:
    with own_trial(stack.settings.webhdfs) as made:
        yield made


def test_every_line_is_stored_once_and_counted(trial: Trial) -> None:
    writer = trial.writer()
    record = writer.write(rows(line(1), "bad", line(2, at=NOON + DAY), line(1)), "t", 0)
    assert record.counts == record.totals == Counts(4, 2, 1, 1)
    assert trial.clean() == [("A-1", 0), ("A-2", 2)]
    assert trial.quarantined() == [(1, "FIELDS", b"bad")]
    names = [path.removeprefix(trial.tables.transactions) for path, _ in
             trial.hdfs.walk(trial.tables.transactions)]  # fmt: skip
    assert names == [
        f"/odr_dt=2019-04-01/odr_hr=0/g=1/0001-000000000-0000-{NOON}-{NOON}.parquet",
        f"/odr_dt=2019-04-02/odr_hr=0/g=1/0001-000000000-0001-{NOON + DAY}-{NOON + DAY}.parquet",
    ]
    assert staging.records(trial.hdfs, trial.tables.staging) == [record]


def test_a_batch_of_many_days_gives_signs_of_work(trial: Trial) -> None:
    signs: list[int] = []
    writer = BatchWriter(trial.hdfs, trial.tables, trial.told.append, lambda: signs.append(1))
    writer.open()
    days = 5
    writer.write(rows(*(line(n, at=NOON + n * DAY) for n in range(days))), "t", 0)
    assert len(signs) > 2 * days, "one at least for what is compared and for each file"


def test_duplicates_and_conflicts_are_found_in_stored_files(trial: Trial) -> None:
    old = line(1, at=NOON - 300 * DAY)
    trial.writer().write(rows(line(1), line(2), old), "t", 0)
    again = rows(line(1), line(2, amount="1.00"), old, line(3), first=3)
    record = trial.writer().write(again, "t", 1)
    assert (record.epoch, record.counts) == (1, Counts(4, 1, 2, 1))
    assert record.totals == Counts(7, 4, 2, 1)
    assert trial.clean() == [("A-1", 0), ("A-1", 2), ("A-2", 1), ("A-3", 6)]
    assert trial.quarantined() == [(4, "CONFLICT", line(2, amount="1.00").encode())]


Steps = Callable[[Trial, Record, list[bytes]], None]


def _nothing(_trial: Trial, _record: Record, _contents: list[bytes]) -> None:
    return


def _half_staged(trial: Trial, record: Record, contents: list[bytes]) -> None:
    name = f"{trial.tables.staging}/{record.name}.tmp/{record.moves[0].name}"
    trial.hdfs.write(name, contents[0][:100])


def _staged(trial: Trial, record: Record, contents: list[bytes]) -> None:
    staging.stage(trial.hdfs, trial.tables.staging, record, contents)


def _staged_twice(trial: Trial, record: Record, contents: list[bytes]) -> None:
    """A file of an abandoned attempt is written late, over whatever stands under its name."""
    abandoned = staging.stage(trial.hdfs, trial.tables.staging, record, contents)
    staging.drop_unfinished(trial.hdfs, trial.tables.staging)
    staged = staging.stage(trial.hdfs, trial.tables.staging, record, contents)
    trial.hdfs.write(f"{abandoned}/{record.moves[0].name}", b"late")
    staging.complete(trial.hdfs, staged, trial.tables.staging, record)


def _completed(trial: Trial, record: Record, contents: list[bytes]) -> None:
    staged = staging.stage(trial.hdfs, trial.tables.staging, record, contents)
    staging.complete(trial.hdfs, staged, trial.tables.staging, record)


def _one_moved(trial: Trial, record: Record, contents: list[bytes]) -> None:
    _completed(trial, record, contents)
    move = record.moves[0]
    trial.hdfs.make_folder(move.target.rpartition("/")[0])
    trial.hdfs.rename(f"{trial.tables.staging}/{record.name}/{move.name}", move.target)


def _all_moved(trial: Trial, record: Record, contents: list[bytes]) -> None:
    _completed(trial, record, contents)
    staging.finish(trial.hdfs, trial.tables.staging, record)


@pytest.mark.parametrize(
    "killed_after",
    [_nothing, _half_staged, _staged, _staged_twice, _completed, _one_moved, _all_moved],
)
@pytest.mark.parametrize("lost_checkpoint", [False, True])
def test_killed_between_two_steps(trial: Trial, killed_after: Steps, lost_checkpoint: bool) -> None:
    first = rows(line(1), "bad", line(2))
    second = rows(line(3), line(1), "worse", line(4, at=NOON + DAY), first=3)
    everything = pa.concat_tables([first, second])
    writer = trial.writer()
    writer.write(first, "t", 0)
    offsets = {0: (3, 6)}
    record, files = writer.compute(place(writer.last, lambda: 1, "t", 1, offsets).record, second)
    killed_after(trial, record, [encode(file.rows, file.schema) for file in files])

    trial.told.clear()
    after = trial.writer()
    last = after.write(everything, "t", 0) if lost_checkpoint else after.write(second, "t", 1)

    assert trial.clean() == [("A-1", 0), ("A-2", 2), ("A-3", 3), ("A-4", 6)]
    assert [(o, raw) for o, _, raw in trial.quarantined()] == [(1, b"bad"), (5, b"worse")]
    assert last.totals == Counts(7, 4, 1, 2)
    assert last.epoch == (2 if lost_checkpoint else 1)
    assert trial.hdfs.names(trial.tables.staging) == [last.name]
    # Hive is told of every folder of the batch, whoever finished it
    assert {move.target.rpartition("/")[0] for move in record.moves} <= set(trial.told)
    # given once more, as Spark does when its commit was not written: nothing changes
    same = after.write(everything, "t", 0) if lost_checkpoint else after.write(second, "t", 1)
    assert same == last
    assert len(trial.clean()) == 4


def test_a_restored_checkpoint_reads_the_middle_again(trial: Trial) -> None:
    writer = trial.writer()
    for number in range(4):
        writer.write(rows(line(number), "bad", first=2 * number), "t", number)
    again = trial.writer().write(rows(line(2), "bad", line(3), "bad", first=4), "t", 2)
    assert (again.epoch, again.since, again.next) == (2, {0: 4}, {0: 8})
    assert again.totals == Counts(4, 2, 0, 2)
    assert len(trial.clean()) == 4
    assert len(trial.quarantined()) == 4


def test_a_row_stays_a_row_where_a_stricter_rule_refuses_its_line_read_again(trial: Trial) -> None:
    """Also in the second batch of the second reading; a new line is judged by the rules of now."""
    lines = [line(1), line(2), line(3, at=NOON - DAY), "bad"]
    trial.writer().write(rows(*lines), "t", 0)
    read = refused(rows(*lines, line(4)), 1, 2, 4)
    trial.writer().write(read.slice(0, 2), "t", 0)
    last = trial.writer().write(read.slice(2), "t", 1)
    assert last.totals == Counts(5, clean=3, quarantined=2)
    assert trial.clean() == [("A-1", 0), ("A-2", 1), ("A-3", 2)]
    assert [(o, reason) for o, reason, _ in trial.quarantined()] == [(3, "FIELDS"), (4, "ITEM")]


def test_the_last_batch_is_judged_again_after_a_repair_has_changed_it(trial: Trial) -> None:
    """As where the topic is so young that all of it is one batch."""
    given = rows(line(1), "bad", line(2))
    last = trial.writer().write(given, "t", 0)
    for path, _ in trial.hdfs.walk(trial.tables.quarantine):
        trial.hdfs.delete(path)
    assert trial.writer().write(given, "t", 0) == last, "a rerun"
    staging.mark_recounted(trial.hdfs, trial.tables.staging, last)
    again = trial.writer().write(given, "t", 0)
    assert (again.epoch, again.counts) == (2, last.counts)
    assert (last.reasons, again.reasons) == ({"FIELDS": 1}, {}), "`status` counts a line once"
    assert trial.quarantined() == [(1, "FIELDS", b"bad")]
    assert len(trial.clean()) == 2
    assert trial.writer().write(given, "t", 0) == again, "a rerun as ever"


def refused(made: pa.Table, *offsets: int) -> pa.Table:
    """Give rows, from offset 0 on, of which some break a rule that there is now."""
    found = made.to_pylist()
    for offset in offsets:
        raw = lines_of(made.slice(offset, 1))[0]
        kept = {name: found[offset][name] for name in ("ingested_at", "arrival_dt", *ORIGIN)}
        found[offset] = kept | {"reason": "ITEM", "raw": raw}
    return pa.Table.from_pylist(found, made.schema)


def test_a_topic_made_anew_and_fed_again_changes_nothing(trial: Trial) -> None:
    trial.writer().write(rows(line(1), line(1, amount="1.00"), line(2)), "t", 0)
    before = trial.clean()
    fed = rows(line(1), line(1, amount="1.00"), line(2), line(3), topic="new")
    record = trial.writer().write(fed, "new", 0)
    assert record.counts == Counts(4, 1, 2, 1)
    assert trial.clean() == [*before, ("A-3", 3)]
    # the conflict is another line of another topic: quarantined again, under its own offset
    assert [offset for offset, *_ in trial.quarantined()] == [1, 1]


def test_an_emptied_folder_that_has_lost_its_record_stops_nobody(trial: Trial) -> None:
    record = trial.writer().write(rows(line(1)), "t", 0)
    folder = f"{trial.tables.staging}/{record.name}"
    trial.hdfs.delete(f"{folder}/{staging.RECORD}")
    again = trial.writer().write(rows(line(1), line(2)), "t", 0)
    assert (again.epoch, again.totals) == (2, Counts(2, 2, 0, 0))
    assert trial.clean() == [("A-1", 0), ("A-2", 1)]
    # one with files is kept: nobody knows where they belong
    folder = f"{trial.tables.staging}/{again.name}"
    trial.hdfs.delete(f"{folder}/{staging.RECORD}")
    trial.hdfs.write(f"{folder}/0000.parquet", b"rows")
    with pytest.raises(LoyaltyError, match=r"has files and no record\.json: move it elsewhere"):
        trial.writer()


def test_a_lost_staging_folder_begins_an_epoch_above_the_files(trial: Trial) -> None:
    trial.writer().write(rows(line(1), line(2)), "t", 5)
    trial.hdfs.delete(trial.tables.staging)
    record = trial.writer().write(rows(line(1), line(2), line(3)), "t", 5)
    assert (record.epoch, record.counts) == (2, Counts(3, 3))
    assert trial.clean() == [("A-1", 0), ("A-2", 1), ("A-3", 2)]


def test_a_file_that_somebody_removed_is_named(
    trial: Trial, caplog: pytest.LogCaptureFixture
) -> None:
    trial.writer().write(rows(line(1)), "t", 0)
    ((path, _),) = trial.hdfs.walk(trial.tables.transactions)
    trial.hdfs.delete(path)
    writer = trial.writer()
    assert f"{path} is missing on HDFS" in caplog.text
    # the stream goes on
    assert writer.write(rows(line(2), first=1), "t", 1).totals == Counts(2, 2)


def test_a_file_that_is_gone_before_it_was_moved_is_computed_again(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another writer, which should not be there; the lines are at hand once more."""
    writer = trial.writer()
    writer.write(rows(line(1)), "t", 0)

    def completes_torn(hdfs: Hdfs, staged: str, folder: str, record: Record) -> None:
        hdfs.delete(f"{staged}/{record.moves[0].name}")
        hdfs.rename(staged, f"{folder}/{record.name}")

    batch = rows(line(2), line(3, at=NOON + DAY), first=1)
    with monkeypatch.context() as patched:
        patched.setattr(staging, "complete", completes_torn)
        with pytest.raises(LoyaltyError, match=r"Somebody removed 0000\.parquet .* computed again"):
            writer.write(batch, "t", 1)
    assert trial.clean() == [("A-1", 0)]
    assert writer.write(batch, "t", 1).totals == Counts(3, 3)
    assert trial.clean() == [("A-1", 0), ("A-2", 1), ("A-3", 2)]


def test_a_late_line_reads_only_the_files_that_can_hold_it(trial: Trial) -> None:
    writer = trial.writer()
    for hour in range(5):
        writer.write(rows(line(hour, at=NOON + hour * 3_600_000), first=hour), "t", hour)
    # a file that would be read is damaged here, and those that need not be
    for path, _ in trial.hdfs.walk(trial.tables.transactions):
        name = read_data_name(path.rpartition("/")[2])
        if name is not None and name.low != NOON + 7_200_000:
            trial.hdfs.write(path, b"damaged")
    record = trial.writer().write(rows(line(2, at=NOON + 7_200_000), first=5), "t", 5)
    assert record.counts == Counts(1, 0, 1)


def test_the_topic_tells_when_the_last_lines_of_a_record_came(
    stack: OwnStack, week: Reckoning
) -> None:
    """Were it another time the stream would take the topic for one that has lost lines."""
    assert week
    record = staging.records(Hdfs(stack.settings.webhdfs, user="spark"), STAGING)[-1]
    last = {part: after - 1 for part, after in record.next.items()}
    assert record.appended.keys() == last.keys()
    assert append_times(stack.topic, last) == record.appended


def test_a_repair_closes_the_gaps_that_were_known(trial: Trial) -> None:
    writer, folder = trial.writer(), trial.tables.staging
    writer.write(rows(line(1)), "old", 0)
    writer.write(rows(line(2), first=7), "old", 1)
    writer.write(rows(line(3)), "new", 0)
    first, second = trial.last().gaps
    assert (first, second) == (Gap("old", 0, 1, 6), Gap("old", 0, 8, None))
    staging.close_gaps(trial.hdfs, folder, replace(trial.last(), gaps=(first,)))
    assert trial.last().gaps == (second,)
    staging.close_gaps(trial.hdfs, folder, trial.last())
    assert trial.last().gaps == (), "those of the repair before stay closed"
    # a later one is named
    again = trial.writer().write(rows(line(4), first=9), "new", 1)
    assert again.gaps == (Gap("new", 0, 1, 8),)
    # what is written beside it, and torn, is nobody's
    trial.hdfs.write(f"{folder}/{staging.CLOSED_GAPS}.new", b"[{")
    assert trial.last().gaps == again.gaps
    staging.close_gaps(trial.hdfs, folder, again)
    assert trial.last().gaps == ()
