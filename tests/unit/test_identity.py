"""When a topic is taken for another one because its end has gone back, and what follows."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame

from pipeline.places import Places
from pipeline.topic import Topic
from pipeline.verify.cut import Sources, find_cut
from streaming import query
from streaming.batches import BatchWriter, Tables
from streaming.checkpoint import prepare
from streaming.epochs import with_counts
from streaming.identity import identify
from streaming.progress import Standing, read_progress, write_progress
from streaming.query import Batches, Source, TopicReplaced
from streaming.staging import RECORD, Counts, Gap, Record
from tests.unit.local_hdfs import LocalHdfs
from tests.unit.order_rows import APPENDED, NOON, line, rows
from tests.unit.test_checkpoint import make

ID = "-wFmU01mTQqVYe_sKPbSzA"


def record(at: int, topic: str = ID) -> Record:
    """Give the record of a stream that has read partition 0 to an offset."""
    nothing = Counts()
    blank = Record(1, 0, topic, {0: (0, at - 1)}, {}, {}, nothing, nothing)
    return replace(with_counts(blank, nothing), appended={0: NOON})


def identified(
    root: Path, last: Record | None, end: int, first: int = 0, appended: int = NOON
) -> str:
    """Identify a topic that got its lines at one time, and prepare as the stream's start does."""

    def ask(offsets: dict[int, int]) -> dict[int, int]:
        assert all(first <= offset < end for offset in offsets.values())
        return dict.fromkeys(offsets, appended)

    found = identify(root, "orders", ID, last, {0: (first, end), 1: (0, 0)}, ask=ask)
    prepare(root, "orders", found, {0: 0})
    return found


def test_a_topic_goes_by_its_id(tmp_path: Path) -> None:
    assert identified(tmp_path / "checkpoint", None, 0) == ID
    make(tmp_path, {3: {"0": 80}, 4: {"0": 100}}, [3, 4], ID)
    assert identified(tmp_path, record(100), 100) == ID
    assert identified(tmp_path, record(100), 101) == ID
    assert (tmp_path / f"topic-{ID}" / "offsets").exists()
    # a partition that Kafka does not name now proves nothing
    assert identify(tmp_path, "orders", ID, record(100), {}, ask=dict) == ID
    assert identified(tmp_path, record(100, topic="another"), 100) == ID


def test_an_end_before_what_was_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert identified(tmp_path, record(100), 90) == f"{ID}.2"
    assert "partition 0, which was read to 100" in caplog.text
    assert f"as {ID}.2; `./loyalty rebuild --repair` brings back" in caplog.text


def test_another_line_at_the_end_of_what_was_written(tmp_path: Path) -> None:
    """The topic has grown beyond it since."""
    assert identified(tmp_path / "a", record(100), 1000, appended=NOON + 1) == f"{ID}.2"
    # what has expired cannot be asked for; a record of an earlier version tells nothing
    assert identified(tmp_path / "b", record(100), 1000, 100, appended=NOON + 1) == ID
    assert identified(tmp_path / "b", record(100), 1000, 99, appended=NOON + 1) == f"{ID}.2"
    old = replace(record(100), appended={})
    assert identified(tmp_path / "c", old, 1000, appended=NOON + 1) == ID


@pytest.mark.parametrize("commits", [[3], [3, 4]])
def test_an_end_before_what_spark_has_planned(tmp_path: Path, commits: list[int]) -> None:
    old = make(tmp_path, {3: {"0": 80}, 4: {"0": 100}}, commits, ID)
    assert identified(tmp_path, record(80), 99) == f"{ID}.2"
    assert not old.exists()


def test_a_plan_that_goes_back_although_the_topic_has_grown_since(tmp_path: Path) -> None:
    """Spark takes down the end that it found, 90, and refuses to read to there from 100."""
    make(tmp_path, {3: {"0": 100, "1": 7}, 4: {"0": 90, "1": 7}}, [3], ID)
    assert identified(tmp_path, record(100), 1000) == f"{ID}.2"


def test_a_checkpoint_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path, {3: {"0": 80}, 4: {"0": 100}}, [3], ID)
    (folder / "offsets" / "4").write_text("v1")
    assert identified(tmp_path, record(80), 99) == ID


def test_the_new_name_stays(tmp_path: Path) -> None:
    (tmp_path / f"topic-{ID}.copy").mkdir()
    assert identified(tmp_path, record(100), 90) == f"{ID}.2"
    # the stream was killed before its first batch, and the topic has grown
    assert identified(tmp_path, record(100), 120) == f"{ID}.2"
    # the checkpoint was lost after it
    assert identified(tmp_path / "other", record(50, f"{ID}.2"), 120) == f"{ID}.2"
    assert identified(tmp_path, record(50, f"{ID}.2"), 49) == f"{ID}.3"


class LostTopic:
    """A topic that all readers but the stream have read to its end, 3."""

    name = "orders"

    def id(self) -> str:
        return ID

    def bounds(self) -> dict[int, tuple[int, int]]:
        return {0: (0, 3)}

    def committed(self, _group: str) -> dict[int, int]:
        return {0: 3}


@pytest.mark.parametrize(
    ("of", "at", "name", "reached"),
    [(ID, 3, ID, 3), (f"{ID}.2", 2, f"{ID}.2", 2), ("another", 3, ID, 0), ("another.2", 3, ID, 0)],
)
def test_verify_knows_the_topic_by_the_name_of_its_rows(
    tmp_path: Path, of: str, at: int, name: str, reached: int
) -> None:
    hdfs, topic = LocalHdfs(tmp_path / "hdfs"), cast("Topic", LostTopic())
    hdfs.write(f"/staging/0001-000000000/{RECORD}", record(at, of).to_json())
    sources = Sources(tmp_path / "log", tmp_path / "positions", topic, hdfs, "/staging")
    cut = find_cut(sources, None, lambda _text: None)
    assert (cut.topic_id, cut.reached) == (name, {0: reached})


def test_status_and_backup_know_the_topic_by_its_id(tmp_path: Path) -> None:
    places = Places(tmp_path)
    write_progress(places, Standing(0, f"{ID}.2"), record(3, f"{ID}.2"))
    progress = read_progress(places)
    assert progress is not None
    assert (progress.topic_id, progress.offsets) == (ID, {0: 3})
    # none of the lines is read until the first batch under the new name
    write_progress(places, Standing(0, f"{ID}.2"), record(3))
    progress = read_progress(places)
    assert progress is not None
    assert progress.offsets == {}


def test_offsets_that_are_given_again_lose_and_double_nothing(tmp_path: Path) -> None:
    hdfs, tables = LocalHdfs(tmp_path / "hdfs"), Tables("/transactions_cln", "/q", "/staging")
    held = [line(1), "bad", line(2)]
    lost, new = [line(3), "lost", line(4), "lost too"], [line(5), line(6), "new", line(4)]

    def write(lines: list[str], topic: str, batch: int) -> Record:
        writer = BatchWriter(hdfs, tables, lambda _folder: None)
        writer.open()
        return writer.write(rows(*lines, topic=topic), topic, batch)

    before = write([*held, *lost], ID, 0)
    assert before.appended == {0: round(APPENDED.timestamp() * 1000)}
    name = identified(tmp_path / "checkpoint", before, end=3)
    after = write([*held, *new], name, 0)
    assert after.counts == Counts(7, clean=2, duplicates=3, quarantined=2)
    assert after.gaps == (Gap(ID, 0, 7, None),), "which `status` names, with the rebuild"

    def stored(table: str) -> list[dict[str, object]]:
        return [row for path, _ in hdfs.walk(table)
                for row in pq.read_table(BytesIO(hdfs.read(path))).to_pylist()]  # fmt: skip

    events = sorted(str(row["order_id"]) for row in stored(tables.transactions))
    assert events == [f"A-{number}" for number in range(1, 7)]
    verdicts = [
        (r["kafka_topic_id"], r["kafka_offset"], r["raw"]) for r in stored(tables.quarantine)
    ]
    assert sorted(verdicts) == [
        (ID, 1, b"bad"), (ID, 4, b"lost"), (ID, 6, b"lost too"),
        (name, 1, b"bad"), (name, 5, b"new"),
    ]  # fmt: skip
    origins = [(r["kafka_topic_id"], r["kafka_offset"])
               for t in (tables.transactions, tables.quarantine) for r in stored(t)]  # fmt: skip
    assert len(origins) == len(set(origins)), "an offset is one line's"


class Frame:
    """A micro-batch of Spark's."""

    def __init__(self, *lines: str, first: int) -> None:
        self._rows = rows(*lines, topic=ID, first=first)

    def toArrow(self) -> pa.Table:  # noqa: N802 (Spark's name)
        return self._rows


def test_a_running_stream_sees_that_the_line_before_its_batch_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker has lost lines and got more new ones, between two batches."""
    got = [round(APPENDED.timestamp() * 1000)]
    monkeypatch.setattr(query, "append_times", lambda _, at: dict.fromkeys(at, got[-1]))
    monkeypatch.setattr(LostTopic, "bounds", lambda _: {0: (0, 9)})
    hdfs, done = LocalHdfs(tmp_path), list[Record]()
    writer = BatchWriter(hdfs, Tables("/transactions_cln", "/q", "/staging"), lambda _: None)
    writer.open()
    batches = Batches(Source(cast("Topic", LostTopic()), ID, 10), writer, done.append)
    batches(cast("DataFrame", Frame(line(1), line(2), first=0)), 0)
    batches(cast("DataFrame", Frame(line(3), first=2)), 1)
    got.append(got[0] + 1)
    with pytest.raises(TopicReplaced, match="has lost lines that Kafka had acknowledged"):
        batches(cast("DataFrame", Frame(line(4), first=3)), 2)
    assert [record.totals.clean for record in done] == [2, 3]
