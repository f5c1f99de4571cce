"""The query: topic -> clean -> a batch at a time to the writer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Lock
from typing import Final

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.streaming.query import StreamingQuery

from pipeline.errors import LoyaltyError
from pipeline.stores.messages import read_messages
from pipeline.topic import Topic, plain_id
from streaming.batches import BatchWriter
from streaming.clean import clean
from streaming.long_lines import LONG_BYTES
from streaming.patience import patiently
from streaming.staging import Record
from streaming.topic_name import append_times, lost_lines

PATIENCE_SECONDS: Final = 60
"""How long a batch tries again while HDFS or Kafka do not answer; then the process ends, and is
started again with back-off."""
LONG_LINES_AT_ONCE: Final = 100
"""So many are read at a time: 6 MB where Flume has cut them."""


class Stopping(LoyaltyError):
    """The process was asked to end before this batch began: it is given again."""


class TopicReplaced(LoyaltyError):
    """The topic was made anew, or has lost lines: the next start of the stream begins an epoch."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is read: a topic, with the name that its rows bear (streaming/topic_name.py), at most
    batch_lines at once.
    """

    topic: Topic
    topic_id: str
    batch_lines: int


def cleaned_lines(
    spark: SparkSession, source: Source, zone: str, partition_hours: int
) -> DataFrame:
    """Give the stream of the topic's lines, cleaned, without the bytes of long ones (schema
    CLEANED).
    """
    options = {
        "kafka.bootstrap.servers": source.topic.servers,
        "subscribe": source.topic.name,
        "startingOffsets": "earliest",
        "failOnDataLoss": "true",
        "maxOffsetsPerTrigger": str(source.batch_lines),
    }
    lines = spark.readStream.format("kafka").options(**options).load()
    topic_id = F.lit(source.topic_id).alias("topic_id")
    values = lines.select("value", topic_id, "partition", "offset", "timestamp")
    return clean(values, zone, partition_hours, most_bytes=LONG_BYTES)


class Batches:
    """Takes each micro-batch to the writer; `done` is told its record."""

    def __init__(self, source: Source, writer: BatchWriter, done: Callable[[Record], None]) -> None:
        self._source = source
        self._writer = writer
        self._done = done
        self._at_hand = Lock()
        """Held while a batch is written, or a partition merged."""
        self._stopping = Event()

    def stop(self, seconds: float) -> None:
        """Let the batch at hand end, as far as that takes some seconds; begin no other.

        Nothing is held afterwards: the query's end waits for a batch that began in between.
        """
        self._stopping.set()
        if self._at_hand.acquire(timeout=seconds):
            self._at_hand.release()

    def between(self, action: Callable[[], None], seconds: float = 1) -> None:
        """Do something between two batches; not now, where none ends within some seconds."""
        if self._stopping.is_set() or not self._at_hand.acquire(timeout=seconds):
            return
        try:
            action()
        finally:
            self._at_hand.release()

    def __call__(self, frame: DataFrame, number: int) -> None:
        """Write one micro-batch; raises Stopping after `stop`, as Spark commits what returns."""
        with self._at_hand:
            if self._stopping.is_set():
                raise Stopping("The stream ends; the batch is given again at its next start.")
            rows = frame.toArrow()
            if len(rows):
                self._done(self._write(rows, number))

    def _write(self, rows: pa.Table, number: int) -> Record:
        """Write it, again and again while a server is away for a short time."""

        def write() -> Record:
            self._demand_same_topic()
            return self._writer.write(rows, self._source.topic_id, number, self._fetch)

        return patiently(write, self._writer.open, PATIENCE_SECONDS, self._stopping)

    def _fetch(self, partition: int, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        """Read lines of the topic, as long_lines.Fetch; raises Stopping after `stop`."""
        if self._stopping.is_set():
            raise Stopping("The stream ends; the batch is given again at its next start.")
        topic, start, stop = self._source.topic, {partition: first}, {partition: last + 1}
        for some in read_messages(topic, start, stop, at_once=LONG_LINES_AT_ONCE):
            yield from zip(some["off"].to_pylist(), some["line"].to_pylist(), strict=True)
        self._demand_same_topic()

    def _demand_same_topic(self) -> None:
        """Raise TopicReplaced; asked after lines were read, so they are of the topic of this id,
        and of one that still has what was written before.
        """
        topic, last = self._source.topic, self._writer.last
        if topic.id() != plain_id(self._source.topic_id):
            raise TopicReplaced(
                f"Topic {topic.name} was made anew while it was read; "
                "the stream starts again from its earliest offset."
            )
        if last is None or last.topic_id != self._source.topic_id:
            return
        if lost_lines(last, topic.bounds(), partial(append_times, topic)):
            raise TopicReplaced(
                f"Topic {topic.name} has lost lines that Kafka had acknowledged; "
                "the stream starts again from its earliest offset."
            )


def start_query(
    frame: DataFrame, batches: Batches, checkpoint: Path, trigger_seconds: float
) -> StreamingQuery:
    """Start it; a batch is made every so many seconds when there are new lines."""
    return (
        frame.writeStream.foreachBatch(batches)
        .option("checkpointLocation", checkpoint.as_uri())
        .trigger(processingTime=f"{round(trigger_seconds * 1000)} milliseconds")
        .start()
    )
