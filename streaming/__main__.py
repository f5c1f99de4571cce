"""`python -m streaming`: runs the query until it is told to end, or ends itself."""

import logging
import re
import signal
import sys
import time
from datetime import date
from functools import partial
from threading import Event
from typing import Final

from pyspark.errors import StreamingQueryException
from pyspark.sql.streaming.query import StreamingQuery

from hive.session import connect
from pipeline.errors import LoyaltyError
from pipeline.places import QUARANTINE, STAGING, TRANSACTIONS, Places
from pipeline.programme import calendar, read_programme
from pipeline.settings import Settings, read_settings
from pipeline.spark import open_session
from pipeline.temporary import temporary_folder
from pipeline.topic import Topic, plain_id
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.checkpoint import names, prepare
from streaming.partitions import PartitionFollower
from streaming.progress import Standing, read_progress, stamp_work, write_progress
from streaming.query import Batches, Source, cleaned_lines, start_query
from streaming.rounds import Rounds, find_today, open_partitions
from streaming.staging import Record
from streaming.topic_name import append_times, find_name
from streaming.traces import trace

HIVE_SECONDS: Final = 60
"""A statement that takes longer is tried again."""
TABLES: Final = Tables(TRANSACTIONS, QUARANTINE, STAGING)

_OURS: Final = re.compile(r"^(?:pipeline|streaming|hive)\.[\w.]+: (.+)$", re.MULTILINE)
"""An error of ours at the end of a traceback, and its sentence."""

log = logging.getLogger(__name__)


def main() -> None:
    """Run the stream; exit code 1 with a sentence where it cannot go on, 0 after SIGTERM."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    asked_to_end = Event()
    signal.signal(signal.SIGTERM, lambda *_: asked_to_end.set())
    try:
        run(read_settings(), asked_to_end)
    except LoyaltyError as error:
        log.error("%s", error)  # noqa: TRY400 - its sentence says all
        sys.exit(error.exit_code)


def run(
    settings: Settings, asked_to_end: Event, tables: Tables = TABLES, database: str = "default"
) -> None:
    """Run until asked to end; raises when the query, its JVM or the follower ends by itself."""
    places, hdfs = Places(settings.data), Hdfs(settings.webhdfs, user="spark")
    programme = read_programme(settings.programme)
    zone, today = programme.time_zone, calendar(programme).today
    spark = open_session("streaming")
    topic = Topic(settings.kafka, settings.topic)
    follower = make_follower(settings, hdfs, tables, database)
    writer = opened_writer(places, hdfs, tables, follower, today())
    topic_id, bounds, ask = topic.id(), topic.bounds(), partial(append_times, topic)
    last = newest_record(places, hdfs, writer, tables, topic_id)
    name = find_name(places.checkpoint, topic.name, topic_id, last, bounds, ask=ask)
    source = Source(topic, name, settings.batch_lines)
    started_at, before = time.time(), read_progress(places)

    def done(record: Record | None) -> None:
        swept = rounds.swept.isoformat() if rounds.swept else None
        now_open = open_partitions(writer, today())
        write_progress(places, Standing(started_at, source.topic_id, now_open, swept), record)

    earliest = {part: first for part, (first, _) in bounds.items()}
    checkpoint = prepare(places.checkpoint, topic.name, name, earliest)
    batches = Batches(source, writer, done)
    swept = date.fromisoformat(before.swept) if before and before.swept else None
    rounds = Rounds(
        writer, batches, asked_to_end, today=today, swept=swept, done=lambda: done(writer.last),
    )  # fmt: skip
    frame = cleaned_lines(spark, source, zone, settings.partition_hours)
    query = start_query(frame, batches, checkpoint, settings.trigger_seconds)
    follower.start()
    batches.between(lambda: done(writer.last))
    attend(query, follower, rounds, asked_to_end)
    batches.stop(seconds=8)
    query.stop()
    follower.stop()
    spark.stop()


def make_follower(
    settings: Settings, hdfs: Hdfs, tables: Tables, database: str
) -> PartitionFollower:
    """Make what lets Hive follow, in that database; it is not started yet."""
    shown = {
        f"{database}.transactions_cln": tables.transactions,
        f"{database}.quarantine": tables.quarantine,
    }
    return PartitionFollower(
        lambda: connect(*settings.hive, timeout=HIVE_SECONDS),
        hdfs, settings.hdfs, shown, settings.grace_seconds,
    )  # fmt: skip


def opened_writer(
    places: Places, hdfs: Hdfs, tables: Tables, follower: PartitionFollower, today: date
) -> BatchWriter:
    """Give the writer, with the last batch finished and the day's partitions known."""
    writer = BatchWriter(hdfs, tables, follower.tell, lambda: stamp_work(places))
    writer.open()
    find_today(writer, today)
    return writer


def newest_record(
    places: Places, hdfs: Hdfs, writer: BatchWriter, tables: Tables, topic_id: str
) -> Record | None:
    """Give the newest record; where neither one nor a checkpoint knows the topic, what the tables
    tell of it, and the writer too.
    """
    is_known = writer.last is not None and plain_id(writer.last.topic_id) == topic_id
    if is_known or names(places.checkpoint, topic_id):
        return writer.last
    came = {tables.transactions: "ingested_at", tables.quarantine: "seen_at"}
    with temporary_folder("streaming") as folder:
        writer.traced = trace(hdfs, came, topic_id, folder, lambda: stamp_work(places))
    return writer.traced or writer.last


def attend(
    query: StreamingQuery, follower: PartitionFollower, rounds: Rounds, asked_to_end: Event
) -> None:
    """Look after partitions until asked to end; raises as `demand_life` does."""
    while not asked_to_end.is_set():
        demand_life(query, follower)
        rounds.look()


def demand_life(query: StreamingQuery, follower: PartitionFollower) -> None:
    """Wait a second; raises LoyaltyError, in one sentence, when the query or the follower ended."""
    try:
        has_ended = query.awaitTermination(timeout=1)
    except StreamingQueryException as error:
        if sentence := cause_of(str(error)):
            raise LoyaltyError(f"The query ended, it is started again: {sentence}") from error
        raise  # a bug of ours: its traceback is needed
    if has_ended:
        raise LoyaltyError("The query ended by itself; it is started again.")
    if not follower.is_alive():
        raise LoyaltyError(
            "What makes Hive follow ended by itself, see the traceback above; "
            "the stream is started again."
        )


def cause_of(text: str) -> str:
    """Give the sentence of the error of ours that a failed query's text has, or Spark's own first
    line; the empty text where any other Python error has ended it.
    """
    if found := _OURS.findall(text):
        return str(found[-1])
    return "" if "Traceback (most recent call last)" in text else text.partition("\n")[0]


if __name__ == "__main__":
    main()
