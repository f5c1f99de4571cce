"""A topic that has lost lines, on the real servers: who notices it, and what is stored then."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import pyarrow as pa
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from pyspark.sql import DataFrame

from drill.stack import OwnStack
from pipeline.places import Places
from pipeline.stores.messages import read_messages
from pipeline.topic import Topic
from pipeline.verify.cut import Sources, find_cut
from streaming.__main__ import newest_record
from streaming.files import CLEANED
from streaming.query import Batches, Source, TopicReplaced
from streaming.staging import RECORD, Counts, Gap, Record
from tests.integration.merging import trials
from tests.integration.test_stream_batches import refused
from tests.integration.trial import Trial
from tests.unit.order_rows import APPENDED, line, rows
from tests.unit.test_topic_name import ID, found_name, record


@pytest.fixture
def trial(quiet_stack: OwnStack) -> Iterator[Trial]:
    with trials(quiet_stack.settings.webhdfs) as make:
        yield make()


@pytest.fixture
def topic(quiet_stack: OwnStack) -> Iterator[Topic]:
    """Make a topic of one partition with four orders."""
    made = Topic(quiet_stack.settings.kafka, f"test-{uuid.uuid4().hex[:8]}", timeout=20)
    made.make(partitions=1)
    producer = Producer({"bootstrap.servers": made.servers})
    for number in range(4):
        producer.produce(made.name, line(number).encode())
    assert producer.flush(30) == 0
    yield made
    admin = AdminClient({"bootstrap.servers": made.servers})
    admin.delete_topics([made.name])[made.name].result(30)


@pytest.mark.parametrize(
    ("of", "at", "name", "reached"),
    [
        ("ID", 3, "ID", 3),
        ("ID.2", 2, "ID.2", 2),
        ("another", 3, "ID", 0),
        ("another.2", 3, "ID", 0),
    ],
)
def test_verify_knows_the_topic_by_the_name_of_its_rows(
    trial: Trial, topic: Topic, tmp_path: Path, *, of: str, at: int, name: str, reached: int
) -> None:
    of, name = (text.replace("ID", topic.id()) for text in (of, name))
    folder, group = trial.tables.staging, f"{topic.name}-reader"
    trial.hdfs.write(f"{folder}/0001-000000000/{RECORD}", record(at, of).to_json())
    consumer = Consumer({"bootstrap.servers": topic.servers, "group.id": group})
    consumer.commit(offsets=[TopicPartition(topic.name, 0, 3)], asynchronous=False)
    consumer.close()
    sources = Sources(
        tmp_path / "log", tmp_path / "positions", topic, trial.hdfs, folder, {group: "a reader"}
    )
    cut = find_cut(sources, None, lambda _text: None)
    assert (cut.topic_id, cut.reached) == (name, {0: reached})


class Frame:
    """A micro-batch as Spark gives it: lines of a topic between two offsets.

    earlier: by how much its lines came before those that the topic has there now.
    """

    def __init__(self, topic: Topic, first: int, end: int, earlier: timedelta) -> None:
        found = pa.concat_tables(read_messages(topic, {0: first}, {0: end}))
        texts = [raw.decode() for raw in found["line"].to_pylist()]
        made = rows(*texts, topic=topic.id(), first=first).cast(CLEANED)
        came = pa.array([ts * 1000 for ts in found["ts"].to_pylist()], pa.timestamp("us", "UTC"))
        came = pa.array([at - earlier for at in came.to_pylist()], came.type)
        at = made.schema.get_field_index("ingested_at")
        self._rows = made.set_column(at, "ingested_at", came)

    def toArrow(self) -> pa.Table:  # noqa: N802 (Spark's name)
        return self._rows


def test_a_running_stream_sees_that_the_line_before_its_batch_is_another(
    trial: Trial, topic: Topic
) -> None:
    """As after a broker has lost lines and got more new ones, between two batches."""
    done: list[Record] = []
    batches = Batches(Source(topic, topic.id(), 10), trial.writer(), done.append)

    def write(first: int, end: int, number: int, earlier: float = 0) -> None:
        frame = Frame(topic, first, end, timedelta(milliseconds=earlier))
        batches(cast("DataFrame", frame), number)

    write(0, 2, 0)
    write(2, 3, 1, earlier=1)  # the line that it was then, and that Kafka has lost
    with pytest.raises(TopicReplaced, match="has lost lines that Kafka had acknowledged"):
        write(3, 4, 2)
    assert [one.totals.clean for one in done] == [2, 3]


def test_offsets_that_are_given_again_lose_and_double_nothing(trial: Trial, tmp_path: Path) -> None:
    held = [line(1), "bad", line(2)]
    lost, new = [line(3), "lost", line(4), "lost too"], [line(5), line(6), "new", line(4)]

    def write(lines: list[str], topic: str, batch: int) -> Record:
        return trial.writer().write(rows(*lines, topic=topic), topic, batch)

    before = write([*held, *lost], ID, 0)
    assert before.appended == {0: round(APPENDED.timestamp() * 1000)}
    name = found_name(tmp_path / "checkpoint", before, end=3)
    after = write([*held, *new], name, 0)
    assert after.counts == Counts(7, clean=2, duplicates=3, quarantined=2)
    assert after.gaps == (Gap(ID, 0, 7, None),), "which `status` names, with the rebuild"

    events = sorted(str(row["order_id"]) for row in trial.stored(trial.tables.transactions))
    assert events == [f"A-{number}" for number in range(1, 7)]
    verdicts = [
        (r["kafka_topic_id"], r["kafka_offset"], r["raw"])
        for r in trial.stored(trial.tables.quarantine)
    ]
    assert sorted(verdicts) == [
        (ID, 1, b"bad"), (ID, 4, b"lost"), (ID, 6, b"lost too"),
        (name, 1, b"bad"), (name, 5, b"new"),
    ]  # fmt: skip
    origins = [(r["kafka_topic_id"], r["kafka_offset"])
               for t in (trial.tables.transactions, trial.tables.quarantine)
               for r in trial.stored(t)]  # fmt: skip
    assert len(origins) == len(set(origins)), "an offset is one line's"


def test_where_record_and_checkpoint_are_lost_a_stricter_rule_leaves_rows_what_they_are(
    trial: Trial, tmp_path: Path
) -> None:
    lines = [line(1), "bad", line(2)]
    trial.writer().write(rows(*lines, topic=ID), ID, 0)
    trial.hdfs.delete(trial.tables.staging)
    places = Places(tmp_path)
    places.run.mkdir()
    writer = trial.writer()
    assert newest_record(places, trial.hdfs, writer, trial.tables, ID) == writer.traced
    again = writer.write(refused(rows(*lines, line(4), topic=ID), 0, 3), ID, 0)
    assert (again.counts, again.reasons) == (Counts(4, clean=2, quarantined=2), {"ITEM": 1})
    assert trial.clean() == [("A-1", 0), ("A-2", 2)]
    assert [(o, reason) for o, reason, _ in trial.quarantined()] == [(1, "FIELDS"), (3, "ITEM")]


def test_where_record_and_checkpoint_are_lost_the_tables_tell_the_topics_name(
    trial: Trial, tmp_path: Path
) -> None:
    """By its id alone, new lines would have the offsets of old verdicts, and be dropped."""
    hdfs, tables = trial.hdfs, trial.tables
    trial.writer().write(rows(line(1), "bad", "lost", "lost"), ID, 0)
    trial.writer().write(rows(line(1), "bad", line(2), topic=f"{ID}.2"), f"{ID}.2", 0)
    hdfs.delete(tables.staging)

    def name(end: int, appended: timedelta = timedelta()) -> str:
        places = Places(tmp_path / f"{end}-{appended.total_seconds()}")
        places.run.mkdir(parents=True)
        last = newest_record(places, hdfs, trial.writer(), tables, ID)
        assert last is not None
        came = round((APPENDED + appended).timestamp() * 1000)
        return found_name(places.checkpoint, last, end, appended=came)

    assert name(3) == name(4) == f"{ID}.2"
    assert name(2) == name(4, timedelta(milliseconds=1)) == f"{ID}.3", "it has lost lines again"
    read = rows(line(1), "bad", line(2), line(3), topic=f"{ID}.2")
    again = trial.writer().write(read, f"{ID}.2", 0)
    assert again.counts == Counts(4, clean=2, duplicates=1, quarantined=1)
    assert len(trial.clean()) == 3
    places = Places(tmp_path / "another")
    places.run.mkdir(parents=True)
    assert newest_record(places, hdfs, trial.writer(), tables, "another") == again
    hdfs.delete(tables.staging)
    assert newest_record(places, hdfs, trial.writer(), tables, "another") is None
