"""Writes the micro-batches: each line once into transactions_cln or quarantine, or counted.

The driver is the only writer. A batch is computed once, staged, complete by one rename and
finished by moves (streaming/staging.py), so it may be killed anywhere and be given again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.generations import highest
from pipeline.webhdfs import Hdfs
from streaming import staging
from streaming.epochs import Offsets, place, with_counts, with_traced
from streaming.files import (
    CLEANED,
    QUARANTINE,
    TRANSACTIONS,
    DataName,
    QuarantineName,
    encode,
    read_data_name,
    read_quarantine_name,
)
from streaming.identities import COMPARED, ORIGIN, compare
from streaming.judged import are_new, are_quarantined, are_rows
from streaming.long_lines import Fetch, fetch_nothing, put_back
from streaming.merging import DATA_FILES, QUARANTINE_FILES, is_merged, merge
from streaming.quarantine import by_file, conflicts_of, faults_of
from streaming.ranges import by_partition, holds_any, instants, pieces
from streaming.staging import Counts, Move, Record
from streaming.stored import Generation, Listing, Reader


@dataclass(frozen=True, slots=True)
class Tables:
    """The folders on HDFS that the stream writes."""

    transactions: str
    quarantine: str
    staging: str


@dataclass(frozen=True, slots=True)
class _File:
    """A file to be written: where to, its columns, and its rows."""

    home: Generation
    name: str
    schema: pa.Schema
    rows: pa.Table

    @property
    def path(self) -> str:
        return f"{self.home.path}/{self.name}"


class BatchWriter:
    """The only writer of the two tables. changed: is told each folder that was added to. at_work:
    is called again and again in a batch or a merge, which may take long, while no offset moves.
    """

    def __init__(
        self,
        hdfs: Hdfs,
        tables: Tables,
        changed: Callable[[str], None],
        at_work: Callable[[], None] = lambda: None,
    ) -> None:
        self.hdfs = hdfs
        self.at_work = at_work
        self.kinds = {tables.transactions: DATA_FILES, tables.quarantine: QUARANTINE_FILES}
        """How the files of each table, named by its folder, are merged."""
        self._tables = tables
        self._changed = changed
        self.last: Record | None = None
        """The record of the newest complete batch."""
        self.traced: Record | None = None
        """What the tables tell where there is none (streaming/traces.py)."""
        self._is_whole = False
        """Whether what is known of HDFS is so: not while something is being changed there."""
        self._merging: str | None = None
        """The folder of the partition whose merge was begun, and perhaps entered."""

    def open(self) -> None:
        """Finish what is complete, drop what is not, and forget what was known of HDFS.

        Must be called before the first batch, and again after any failure of one.
        """
        staging.drop_unfinished(self.hdfs, self._tables.staging)
        found = staging.records(self.hdfs, self._tables.staging)
        for record in found:
            self._finish(record)
        self.last = (
            staging.without_closed(self.hdfs, self._tables.staging, found[-1]) if found else None
        )
        if self.last is not None:
            staging.forget_older(self.hdfs, self._tables.staging, self.last)
        self._recounted = staging.recounted(self.hdfs, self._tables.staging)
        self._transactions = Listing(self.hdfs, self._tables.transactions)
        self._quarantine = Listing(self.hdfs, self._tables.quarantine)
        both = (self._transactions, self._quarantine)
        self.listings = {listing.table: listing for listing in both}
        if self._merging and (number := highest(self.hdfs, self._merging)):
            self._changed(f"{self._merging}/g={number}")
        self._merging = None
        self._rows = Reader(self.hdfs, COMPARED)
        self._origins = Reader(self.hdfs, ORIGIN, most_bytes=4 << 20)
        self._is_whole = True

    def write(
        self, rows: pa.Table, topic_id: str, batch: int, fetch: Fetch = fetch_nothing
    ) -> Record:
        """Write a batch (schema CLEANED, at least one row). fetch: gives the long lines, whose raw
        bytes it lacks.
        """
        with self._changing():
            return self._write(rows, topic_id, batch, fetch)

    def merge(self, table: str, partition: str, go_on: Callable[[], None]) -> bool:
        """Merge the files of a partition into a new generation; False where it needs none.

        Only between two batches. go_on may raise, to end it. Whatever is raised, the partition is
        as it was or merged, and the next batch begins with a look at what HDFS has.
        """
        with self._changing():
            listing, kind = self.listings[table], self.kinds[table]
            # as it lies there: it may hold a file of somebody else, which readers see as well
            home = listing.look(partition)
            if self.last is None or is_merged(kind, home):
                return False
            self._merging = f"{table}/{partition}"
            new = merge(self.hdfs, self._tables.staging, self.last, home, kind, go_on=go_on)
            listing.known[partition] = new
            self._changed(new.path)
            self._merging = None
        return True

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change HDFS. Where that fails, nobody knows what came of the last request: the next
        change first drops what was staged (a late rename then finds nothing) and lists anew.
        """
        if not self._is_whole:
            self.open()
        self._is_whole = False
        yield
        self._is_whole = True

    def _write(self, rows: pa.Table, topic_id: str, batch: int, fetch: Fetch) -> Record:
        placed = place(
            self.last, self._highest_epoch, topic_id, batch, _offsets(rows),
            is_recounted=self.last is not None and self.last.name == self._recounted,
        )  # fmt: skip
        if placed.is_rerun:
            self._finish(placed.record)
            return placed.record
        record, files = self.compute(with_traced(placed.record, self.traced), rows)
        contents = self._contents(files, fetch)
        staged = staging.stage(self.hdfs, self._tables.staging, record, contents)
        staging.complete(self.hdfs, staged, self._tables.staging, record)
        self.last = record
        self.at_work()
        staging.finish_fresh(self.hdfs, self._tables.staging, record)
        self._remember(files)
        staging.forget_older(self.hdfs, self._tables.staging, record)
        return record

    def _contents(self, files: list[_File], fetch: Fetch) -> Iterator[bytes]:
        """Make the files one by one: the long lines of one of them are held, and no more."""
        for file in files:
            self.at_work()
            whole = put_back(file.rows, fetch)
            had_long = whole is not file.rows
            yield encode(whole, file.schema)
            del whole
            if had_long:
                # else the process keeps the most that it ever needed
                pa.default_memory_pool().release_unused()

    def compute(self, record: Record, rows: pa.Table) -> tuple[Record, list[_File]]:
        """Judge every line; gives the batch's record and the files that it adds."""
        rows = rows.cast(CLEANED)
        known = are_quarantined(rows, record, self._quarantine, self._origins)
        rest = rows.filter(pc.invert(known))
        is_good = pc.is_null(rest["reason"])
        good, bad = rest.filter(is_good), rest.filter(pc.invert(is_good))
        refused = are_rows(bad, record, self._transactions, self._rows)
        bad = bad.filter(pc.invert(refused))
        compared = compare(good, self._stored(good))
        quarantined = pa.concat_tables([faults_of(bad), conflicts_of(compared.conflicts)])
        counts = Counts(
            lines=len(rows),
            clean=len(compared.fresh) + compared.reread + _number(refused),
            duplicates=compared.duplicates,
            quarantined=len(quarantined) + _number(known),
        )
        files = [*self._data(record, compared.fresh), *self._faults(record, quarantined)]
        moves = tuple(Move(f"{number:04}.parquet", file.path) for number, file in enumerate(files))
        first_read = quarantined.filter(are_new(quarantined, record))
        reasons = {
            row["values"]: row["counts"] for row in first_read["reason"].value_counts().to_pylist()
        }
        done = with_counts(record, counts)
        appended = record.appended | _appended(rows, record.offsets)
        return replace(done, moves=moves, reasons=reasons, appended=appended), files

    def _data(self, record: Record, rows: pa.Table) -> Iterator[_File]:
        for number, piece in enumerate(pieces(rows)):
            home = self._transactions.current(piece.partition)
            name = DataName(record.epoch, record.batch, number, piece.low, piece.high)
            yield _File(home, name.text(), TRANSACTIONS, piece.rows)

    def _faults(self, record: Record, rows: pa.Table) -> Iterator[_File]:
        for partition, number, part in by_file(rows):
            home = self._quarantine.current(partition)
            offsets = part["kafka_offset"]
            first, last = offsets[0].as_py(), offsets[-1].as_py()
            name = QuarantineName(record.epoch, record.batch, number, first, last)
            yield _File(home, name.text(), QUARANTINE, part)

    def _stored(self, good: pa.Table) -> pa.Table:
        """Read what is stored of the instants of a batch's rows: only files that can hold one."""
        found = [good.slice(0, 0).select(COMPARED)]
        for partition, rows in by_partition(good):
            self.at_work()
            current = self._transactions.current(partition)
            at = pc.unique(instants(rows)).to_pylist()
            read = ((name, read_data_name(name)) for name in current.names)
            paths = [
                f"{current.path}/{name}"
                for name, ends in read
                if ends is not None and holds_any(ends.low, ends.high, at)
            ]
            found.extend(self._rows.rows_of(paths, at))
        return pa.concat_tables(found)

    def _finish(self, record: Record) -> None:
        """Finish a batch whose files are no longer at hand, or of which some moved before."""
        staging.finish(self.hdfs, self._tables.staging, record)
        for folder in dict.fromkeys(move.target.rsplit("/", 2)[0] for move in record.moves):
            # a repair may have published a later generation than the one that was moved to
            if number := highest(self.hdfs, folder):
                self._changed(f"{folder}/g={number}")

    def _remember(self, files: list[_File]) -> None:
        for file in files:
            file.home.names.append(file.name)
            if file.schema is TRANSACTIONS:
                self._rows.keep(file.path, file.rows)
        for folder in dict.fromkeys(file.home.path for file in files):
            self._changed(folder)

    def _highest_epoch(self) -> int:
        """Find the highest epoch on HDFS, in the staged batches and in the files' names."""
        names = (
            path.rpartition("/")[2]
            for table in (self._tables.transactions, self._tables.quarantine)
            for path, _ in self.hdfs.walk(table)
        )
        read = (read_data_name(name) or read_quarantine_name(name) for name in names)
        staged = self.last.epoch if self.last else 0
        return max([staged, *(name.epoch for name in read if name is not None)])


def _number(marked: pa.Array) -> int:
    """Count what is marked."""
    return int(marked.true_count)


def _offsets(rows: pa.Table) -> Offsets:
    grouped = rows.group_by("kafka_partition").aggregate(
        [("kafka_offset", "min"), ("kafka_offset", "max")]
    )
    return {
        row["kafka_partition"]: (row["kafka_offset_min"], row["kafka_offset_max"])
        for row in grouped.sort_by("kafka_partition").to_pylist()
    }


def _appended(rows: pa.Table, offsets: Offsets) -> dict[int, int]:
    """Give the append time (epoch milliseconds) of each partition's last line."""
    found = {}
    for partition, (_, last) in offsets.items():
        is_last = pc.and_(
            pc.equal(rows["kafka_partition"], partition), pc.equal(rows["kafka_offset"], last)
        )
        (at,) = rows["ingested_at"].filter(is_last).cast(pa.int64()).to_pylist()
        found[partition] = at // 1000
    return found
