"""The rebuild: transactions_cln made again from HDFS raw, compared with the live table, repaired.

Compared is up to verify's cut, so orders may flow; a repair needs the stream to stand.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from batch.comparison import KINDS, Comparison, Difference, Outcome, open_comparison
from batch.live import LiveTable, partition_of
from batch.master import rebuilt_rows, save_lines
from batch.origins import find_origins, repaired_rows
from batch.publishing import Publisher, publish, set_aside
from batch.topic_lines import left_unjudged, take_messages, unsure, untraced
from pipeline.errors import Refused, Unavailable
from pipeline.places import QUARANTINE, RAW, STAGING, TRANSACTIONS, Places
from pipeline.programme import read_programme
from pipeline.progress import Begin, begin_unseen, counted
from pipeline.raw import first_whole_date
from pipeline.settings import Settings
from pipeline.spark import open_session
from pipeline.stores.messages import read_messages
from pipeline.stores.raw import raw_folders, read_raw
from pipeline.temporary import temporary_folder
from pipeline.topic import Topic, plain_id
from pipeline.verify.cut import STREAM, Cut, Sources, find_cut
from pipeline.verify.report import shown
from pipeline.verify.scope import Scope
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.files import QUARANTINE as VERDICTS
from streaming.staging import Record, close_gaps, mark_recounted
from streaming.verdicts import read_verdicts, verdict_files

READER: Final = "flume-hdfs"
PATIENCE_SECONDS: Final = 120
"""How long a repair waits for raw to reach the cut."""
DAY_BEFORE: Final = timedelta(days=1)
"""A till's clock may be 10 minutes ahead, and raw's dates are the agent's clock's."""
Elsewhere = Callable[[Path, tuple[int, int], Callable[[str], None]], Iterator[pa.Table]]
"""Gives what LiveTable.rows_elsewhere does."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was found, and what was done: new folders; kept: foreign rows that stay, for nothing
    disproves them. damaged: files of the table that cannot be read; damaged_verdicts: of
    quarantine, and where they are now (set_aside). unjudged: lines of the topic that are no row, no
    copy of one, and not in quarantine, once the rows are repaired (not counted for some dates
    only). read_again: so many lines the stream has to read again, for a repair: all that the topic
    holds. unsure: lines that were FUTURE once, are not live, and of which neither topic nor clock
    tells whether they counted later. untraced: missing rows that may have been FUTURE, for the
    topic holds them no longer and their verdicts may be among the damaged ones. behind: who has how
    much to go after the cut, up to which was compared (as in pipeline.verify.cut).
    """

    outcome: Outcome
    damaged: list[str] = field(default_factory=list)
    damaged_verdicts: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    unjudged: int = 0
    read_again: int = 0
    published: list[str] = field(default_factory=list)
    kept: int = 0
    unsure: int = 0
    untraced: int = 0
    behind: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give the object that `rebuild --json` prints."""
        damaged = len(self.damaged) + len(self.damaged_verdicts)
        found = sum(self.outcome.counts.values()) + damaged + self.unjudged
        return {
            "ok": found == 0,
            "rebuilt": self.outcome.rebuilt,
            "live": self.outcome.live,
            "found": found,
            **{kind: self.outcome.counts.get(kind, 0) for kind in KINDS},
            "damaged": self.damaged,
            "damaged_verdicts": self.damaged_verdicts,
            "set_aside": self.set_aside,
            "unjudged": self.unjudged,
            "read_again": self.read_again,
            "differences": [_document(difference) for difference in self.outcome.listed],
            "published": self.published,
            "kept": self.kept,
            "unsure": self.unsure,
            "untraced": self.untraced,
            "behind": self.behind,
        }


def rebuild(
    settings: Settings,
    dates: Scope,
    most: int,
    told: Callable[[str], None],
    begin: Begin = begin_unseen,
    *,
    repair: bool,
) -> Result:
    """Compare some business dates, listing at most so many differences; repair them if asked to.

    told: is given a sentence where there is something to be waited for; begin: what is done.
    Raises Unavailable where a server does not answer, or raw does not reach the cut of a repair,
    and Refused for dates that raw has no longer.
    """
    hdfs = Hdfs(settings.webhdfs, user="spark")
    demand_whole(first_whole_date(hdfs), dates)
    topic = Topic(settings.kafka, settings.topic)
    last = _settle(hdfs) if repair else None
    if last is not None:
        _wait_for_raw(topic, last, told)
    places = Places(settings.data)
    sources = Sources(
        places.order_log, places.positions, topic, hdfs, STAGING, {READER: "HDFS raw"}
    )
    cut = find_cut(sources, None, lambda _text: None)
    unknown = repair and cut.record is None
    if unknown:
        cut = without_stream(cut, topic.committed(READER))
    # where nothing has expired, every hop has about as many lines
    lines = sum(cut.ends.values()) if dates.is_everything and not any(cut.held.values()) else None
    with temporary_folder("rebuild") as folder:
        made = _rebuild_rows(settings, hdfs, dates, folder, expected=lines, begin=begin)
        live = LiveTable(hdfs, dates)
        with open_comparison(folder) as comparison:
            _take_rows(comparison, counted(_batches(made), begin("rebuilt rows", "rows"), lines))
            rows = counted(live.rows(folder), begin("transactions_cln", "rows"), lines)
            comparison.take_live(rows, cut.topic_id, cut.reached)
            begin("quarantine", "")
            files, unread = verdict_files(hdfs), list[str]()
            comparison.take_verdicts(
                read_verdicts(hdfs, files, VERDICTS.names, folder, unread.append)
            )
            messages = read_messages(topic, cut.held, cut.reached)
            counting = counted(messages, begin("topic", "lines"), lines)
            now_ms = round(time.time() * 1000)
            take_messages(comparison, counting, cut.topic_id, cut.held, now_ms)
            begin("comparing", "")
            # asked for last: so whatever raw and table have by now is among them
            comparison.take_beyond(read_messages(topic, cut.reached, topic.ends()))
            found = Result(comparison.judge(most), live.damaged, unread,
                           unsure=unsure(comparison, cut.topic_id), behind=cut.behind)  # fmt: skip
            if unread:
                found = replace(found, untraced=untraced(comparison))
            if repair:
                demand_nowhere_else(comparison, live.rows_elsewhere, folder)
                found = _repair(comparison, found, cut.topic_id, Publisher(hdfs, last))
            if dates.is_everything and not unknown:
                found = replace(found, unjudged=left_unjudged(comparison, cut.topic_id))
    if repair and (found.unjudged or found.damaged_verdicts):
        if last is not None:
            mark_recounted(hdfs, STAGING, last)
        found = replace(
            found, set_aside=set_aside(hdfs, found.damaged_verdicts),
            read_again=sum(cut.reached.values()) - sum(cut.held.values()),
        )  # fmt: skip
    if last is not None and dates.is_everything:
        close_gaps(hdfs, STAGING, last)
    return found


def demand_whole(first: date | None, dates: Scope) -> None:
    """Raise Refused for dates before the first that raw still has whole (None: it has all)."""
    if first is not None and (dates.first is None or dates.first < first):
        raise Refused(
            f"HDFS raw has lines of before {first} no longer (LOYALTY_RAW_RETENTION_DAYS), so older"
            f" dates cannot be rebuilt; call it with --from {first} or a later date."
        )


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


def demand_nowhere_else(comparison: Comparison, elsewhere: Elsewhere, folder: Path) -> None:
    """Raise Refused where rows called missing may lie in partitions of other dates: published
    here they would be there twice.
    """
    if (ends := comparison.missing_ends()) is None:
        return
    unread: list[str] = []
    found = comparison.found_in(elsewhere(folder, ends, unread.append))
    if places := sorted({*found, *map(partition_of, unread)}):
        raise Refused(
            f"Rows that are missing here lie, or may lie, in {', '.join(places)}: nothing was "
            "changed. Repair without --from and --to, or with these dates among the others."
        )


def _repair(comparison: Comparison, found: Result, topic_id: str, publisher: Publisher) -> Result:
    """Publish the partitions with differences or damaged files."""
    if not found.outcome.counts and not found.damaged:
        return found
    kept = find_origins(comparison, topic_id)
    partitions = {*comparison.partitions(), *map(partition_of, found.damaged)}
    rows = partial(repaired_rows, comparison)
    if publisher.last is not None:
        # a kill amid the publication finds it said: nobody could say it later
        mark_recounted(publisher.hdfs, publisher.staging, publisher.last)
    published = publish(publisher.publish(sorted(partitions), rows))
    return replace(found, published=published, kept=kept)


def without_stream(cut: Cut, committed: dict[int, int]) -> Cut:
    """Give the cut that raw alone sets (committed: its sink's offsets), for a repair where no
    record says how far the stream has read this topic: nothing that raw has is beyond it then.
    """
    reached = {p: min(end, max(committed.get(p, 0), cut.held[p])) for p, end in cut.ends.items()}
    behind = {hop: left for hop, left in cut.behind.items() if hop != STREAM}
    return replace(cut, reached=reached, behind=behind)


def _settle(hdfs: Hdfs) -> Record | None:
    """Finish the stream's last batch, as its own start does: a move may be left to be made."""
    writer = BatchWriter(hdfs, Tables(TRANSACTIONS, QUARANTINE, STAGING), lambda _folder: None)
    writer.open()
    return writer.last


def _wait_for_raw(topic: Topic, last: Record, told: Callable[[str], None]) -> None:
    """Wait until HDFS raw has what the table has: the agent's sink commits after its flush."""
    end = time.monotonic() + PATIENCE_SECONDS
    topic_id, is_told = topic.id(), False
    while plain_id(last.topic_id) == topic_id:
        committed = topic.committed(READER)
        left = sum(max(0, after - committed.get(p, 0)) for p, after in last.next.items())
        if not left:
            return
        if not is_told:
            told(f"waiting until HDFS raw has {left:,} lines that the table has …")
            is_told = True
        if time.monotonic() > end:
            raise Unavailable(
                f"HDFS raw still lacks {left:,} lines that the table has; `./loyalty status` shows "
                "what stands still."
            )
        time.sleep(0.3)


def _rebuild_rows(
    settings: Settings,
    hdfs: Hdfs,
    dates: Scope,
    folder: Path,
    *,
    expected: int | None,
    begin: Begin,
) -> Path:
    """Run raw through Spark; gives the local folder of the Parquet files."""
    first = dates.first
    oldest = None if first is None or first == date.min else first - DAY_BEFORE
    folders = [f for f in raw_folders(hdfs, RAW) if oldest is None or f.arrival >= oldest]
    lines, made = folder / "lines.parquet", folder / "rebuilt"
    raw = counted(read_raw(hdfs, folders, folder), begin("HDFS raw", "lines"), expected)
    save_lines(raw, lines)
    begin("HDFS raw goes through Spark once more", "")
    spark = open_session("rebuild")
    zone = read_programme(settings.programme).time_zone
    rows = rebuilt_rows(spark, lines, zone, settings.partition_hours, dates)
    rows.write.parquet(made.as_uri())
    spark.stop()
    lines.unlink()
    return made


def _take_rows(comparison: Comparison, batches: Iterable[pa.Table]) -> None:
    """Take in what rebuilt_rows gives: rows, and lines that are none."""
    for batch in batches:
        is_row = pc.is_null(batch["refused"])
        comparison.take_rebuilt([batch.filter(is_row).drop_columns("refused")])
        refused = batch.filter(pc.invert(is_row)).select(["refused"])
        comparison.take_refused([refused.rename_columns(["line"])])


def _batches(made: Path) -> Iterator[pa.Table]:
    """Give what was made of raw, some at a time."""
    for file in sorted(made.glob("*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(50_000):
            yield pa.Table.from_batches([batch])
