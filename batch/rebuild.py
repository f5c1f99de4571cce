"""The rebuild: transactions_cln made again from HDFS raw, compared with the live table, repaired.

Compared is up to verify's cut, so orders may flow; a repair needs the stream to stand.
"""

import tempfile
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from batch.comparison import KINDS, Comparison, Difference, Outcome, open_comparison
from batch.live import LiveTable, partition_of
from batch.master import rebuilt_rows, save_lines
from batch.origins import find_origins, repaired_rows
from batch.repair import Publisher
from pipeline.errors import Unavailable
from pipeline.places import QUARANTINE, RAW, STAGING, TRANSACTIONS, Places
from pipeline.programme import read_programme
from pipeline.settings import Settings
from pipeline.spark import open_session
from pipeline.topic import Topic
from pipeline.verify.cut import Cut, Sources, find_cut
from pipeline.verify.messages import read_messages
from pipeline.verify.raw import raw_folders, read_raw
from pipeline.verify.report import shown
from pipeline.verify.scope import Scope
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.files import QUARANTINE as VERDICTS
from streaming.staging import Record
from streaming.verdicts import read_verdicts, verdict_files

READER: Final = "flume-hdfs"
PATIENCE_SECONDS: Final = 120
"""How long a repair waits for raw to reach the cut."""
DAY_BEFORE: Final = timedelta(days=1)
"""A till's clock may be 10 minutes ahead, and raw's dates are the agent's clock's."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was found, and what was done: new folders; foreign rows that stay, for the topic has
    them and it is raw that lacks them. damaged: files of the table that cannot be read.
    """

    outcome: Outcome
    damaged: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    kept: int = 0

    def to_json(self) -> dict[str, Any]:
        """Give the object that `rebuild --json` prints."""
        found = sum(self.outcome.counts.values()) + len(self.damaged)
        return {
            "ok": found == 0,
            "rebuilt": self.outcome.rebuilt,
            "live": self.outcome.live,
            "found": found,
            **{kind: self.outcome.counts.get(kind, 0) for kind in KINDS},
            "damaged": self.damaged,
            "differences": [_document(difference) for difference in self.outcome.listed],
            "published": self.published,
            "kept": self.kept,
        }


def rebuild(settings: Settings, dates: Scope, most: int, *, repair: bool) -> Result:
    """Compare some business dates, listing at most so many differences; repair them if asked to.

    Raises Unavailable where a server does not answer, or raw does not reach the cut of a repair.
    """
    hdfs = Hdfs(settings.webhdfs, user="spark")
    topic = Topic(settings.kafka, settings.topic)
    last = _settle(hdfs) if repair else None
    if last is not None:
        _wait_for_raw(topic, last)
    places = Places(settings.data)
    sources = Sources(
        places.order_log, places.positions, topic, hdfs, STAGING, {READER: "HDFS raw"}
    )
    cut = find_cut(sources, None, lambda _text: None)
    with tempfile.TemporaryDirectory(prefix="loyalty-rebuild-") as name:
        folder = Path(name)
        made = _rebuild_rows(settings, hdfs, dates, folder)
        live = LiveTable(hdfs, dates)
        with open_comparison(folder) as comparison:
            comparison.take_rebuilt(_batches(made))
            comparison.take_live(live.rows(folder), cut.topic_id, cut.reached)
            files = verdict_files(hdfs)
            comparison.take_verdicts(read_verdicts(hdfs, files, VERDICTS.names, folder))
            # asked for last: so whatever raw and table have by now is among them
            comparison.take_beyond(read_messages(topic, cut.reached, topic.ends()))
            found = Result(comparison.judge(most), live.damaged)
            if not repair:
                return found
            return _repair(comparison, found, topic, cut, Publisher(hdfs, last))


def _document(difference: Difference) -> dict[str, Any]:
    live, rebuilt = difference.live, difference.rebuilt
    return {
        "kind": difference.kind,
        "partition": difference.partition,
        "identity": shown(difference.identity),
        "live": None if live is None else shown(live),
        "rebuilt": None if rebuilt is None else shown(rebuilt),
        "note": difference.note,
    }


def _repair(
    comparison: Comparison, found: Result, topic: Topic, cut: Cut, publisher: Publisher
) -> Result:
    """Publish the partitions with differences or damaged files."""
    if not found.outcome.counts and not found.damaged:
        return found
    messages = read_messages(topic, cut.held, cut.reached) if found.outcome.counts else iter(())
    kept = find_origins(comparison, messages, cut.topic_id, cut.held)
    partitions = {*comparison.partitions(), *map(partition_of, found.damaged)}
    rows = partial(repaired_rows, comparison)
    published = list(publisher.publish(sorted(partitions), rows))
    return replace(found, published=published, kept=kept)


def _settle(hdfs: Hdfs) -> Record | None:
    """Finish the stream's last batch, as its own start does: a move may be left to be made."""
    writer = BatchWriter(hdfs, Tables(TRANSACTIONS, QUARANTINE, STAGING), lambda _folder: None)
    writer.open()
    return writer.last


def _wait_for_raw(topic: Topic, last: Record) -> None:
    """Wait until HDFS raw has what the table has: the agent's sink commits after its flush."""
    end = time.monotonic() + PATIENCE_SECONDS
    topic_id = topic.id()
    while last.topic_id == topic_id:
        committed = topic.committed(READER)
        left = sum(max(0, after - committed.get(p, 0)) for p, after in last.next.items())
        if not left:
            return
        if time.monotonic() > end:
            raise Unavailable(
                f"HDFS raw still lacks {left:,} lines that the table has; `./loyalty status` shows "
                "what stands still. Nothing was changed."
            )
        time.sleep(0.3)


def _rebuild_rows(settings: Settings, hdfs: Hdfs, dates: Scope, folder: Path) -> Path:
    """Run raw through Spark; gives the local folder of the Parquet files."""
    oldest = None if dates.first is None else dates.first - DAY_BEFORE
    folders = [f for f in raw_folders(hdfs, RAW) if oldest is None or f.arrival >= oldest]
    lines, made = folder / "lines.parquet", folder / "rebuilt"
    save_lines(read_raw(hdfs, folders, folder), lines)
    spark = open_session("rebuild")
    zone = read_programme(settings.programme).time_zone
    rows = rebuilt_rows(spark, lines, zone, settings.partition_hours, dates)
    rows.write.parquet(made.as_uri())
    spark.stop()
    lines.unlink()
    return made


def _batches(made: Path) -> Any:
    """Give the rebuilt rows, some at a time."""
    for file in sorted(made.glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(50_000):
            yield pa.Table.from_batches([batch])
