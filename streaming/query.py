"""The query: topic -> clean -> a batch at a time to the writer."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.streaming.query import StreamingQuery

from pipeline.errors import LoyaltyError, Unavailable
from pipeline.topic import Topic
from streaming.batches import BatchWriter
from streaming.clean import clean
from streaming.staging import Record

PATIENCE_SECONDS: Final = 60
"""How long a batch tries again while HDFS or Kafka do not answer; then the process ends, and is
started again with back-off."""


class TopicReplaced(LoyaltyError):
    """The topic was made anew: the next start of the stream begins a new epoch."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is read: a topic with a certain id, at most batch_lines at once."""

    topic: Topic
    topic_id: str
    batch_lines: int


def cleaned_lines(
    spark: SparkSession, source: Source, zone: str, partition_hours: int
) -> DataFrame:
    """Give the stream of the topic's lines, cleaned (schema CLEAN)."""
    options = {
        "kafka.bootstrap.servers": source.topic.servers,
        "subscribe": source.topic.name,
        "startingOffsets": "earliest",
        "failOnDataLoss": "true",
        "maxOffsetsPerTrigger": str(source.batch_lines),
    }
    lines = spark.readStream.format("kafka").options(**options).load()
    topic_id = F.lit(source.topic_id).alias("topic_id")
    return clean(
        lines.select("value", topic_id, "partition", "offset", "timestamp"), zone, partition_hours
    )


class Batches:
    """Takes each micro-batch to the writer; `done` is told its record."""

    def __init__(self, source: Source, writer: BatchWriter, done: Callable[[Record], None]) -> None:
        self._source = source
        self._writer = writer
        self._done = done
        self.at_hand = Lock()
        """Held while a batch is written."""

    def __call__(self, frame: DataFrame, number: int) -> None:
        """Write one micro-batch."""
        with self.at_hand:
            rows = frame.toArrow()
            if len(rows):
                self._done(self._write(rows, number))

    def _write(self, rows: pa.Table, number: int) -> Record:
        """Write it, again and again while a server is away for a short time."""
        end = time.monotonic() + PATIENCE_SECONDS
        pause = 0.5
        while True:
            try:
                # asked after the rows were read: so they are of the topic that has this id
                if self._source.topic.id() != self._source.topic_id:
                    raise TopicReplaced(
                        f"Topic {self._source.topic.name} was made anew while it was read; "
                        "the stream starts again from its earliest offset."
                    )
                return self._writer.write(rows, self._source.topic_id, number)
            except Unavailable:
                if time.monotonic() > end:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 5)
                self._writer.open()


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
