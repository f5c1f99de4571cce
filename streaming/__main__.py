"""`python -m streaming`: runs the query until it is told to end, or ends itself."""

import logging
import signal
import sys
import time
from threading import Event
from typing import Final

from hive.session import connect
from pipeline.errors import LoyaltyError
from pipeline.places import QUARANTINE, STAGING, TRANSACTIONS, Places
from pipeline.programme import read_programme
from pipeline.settings import Settings, read_settings
from pipeline.spark import open_session
from pipeline.topic import Topic
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.checkpoint import prepare
from streaming.partitions import PartitionFollower
from streaming.progress import write_progress
from streaming.query import Batches, Source, cleaned_lines, start_query
from streaming.staging import Record

HIVE_SECONDS: Final = 60
"""A statement that takes longer is tried again."""
TABLES: Final = Tables(TRANSACTIONS, QUARANTINE, STAGING)

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
    zone = read_programme(settings.programme).time_zone
    spark = open_session("streaming")
    topic = Topic(settings.kafka, settings.topic)
    source = Source(topic, topic.id(), settings.batch_lines)
    shown = {
        f"{database}.transactions_cln": tables.transactions,
        f"{database}.quarantine": tables.quarantine,
    }
    follower = PartitionFollower(
        lambda: connect("127.0.0.1", settings.hiveserver2_port, timeout=HIVE_SECONDS),
        hdfs, settings.hdfs, shown,
    )  # fmt: skip
    writer = BatchWriter(hdfs, tables, follower.tell)
    writer.open()
    started_at = time.time()

    def done(record: Record | None) -> None:
        write_progress(places, started_at, time.time(), source.topic_id, record)

    earliest = {part: first for part, (first, _) in topic.bounds().items()}
    checkpoint = prepare(places.checkpoint, settings.topic, source.topic_id, earliest)
    batches = Batches(source, writer, done)
    frame = cleaned_lines(spark, source, zone, settings.partition_hours)
    query = start_query(frame, batches, checkpoint, settings.trigger_seconds)
    follower.start()
    done(writer.last)
    while not asked_to_end.is_set():
        if query.awaitTermination(timeout=1):
            raise LoyaltyError("The query ended by itself; it is started again.")
        if not follower.is_alive():
            raise LoyaltyError(
                "What makes Hive follow ended by itself, see the traceback above; "
                "the stream is started again."
            )
    batches.stop(seconds=8)
    query.stop()
    follower.stop()
    spark.stop()


if __name__ == "__main__":
    main()
