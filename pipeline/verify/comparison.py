"""One comparison, from the cut to the outcome: reads every store once, into one database."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from pipeline.addresses import Address
from pipeline.errors import LoyaltyError
from pipeline.places import QUARANTINE, RAW, TRANSACTIONS
from pipeline.progress import Begin, begin_unseen, counted
from pipeline.raw import first_whole_date
from pipeline.stores import tables
from pipeline.stores.messages import read_messages
from pipeline.stores.raw import raw_folders, read_raw
from pipeline.temporary import temporary_folder
from pipeline.verify import findings, presence
from pipeline.verify.answer_key import KeyFile, key_days, load_key, open_key
from pipeline.verify.answers import judge_key
from pipeline.verify.cut import Cut, Note, Sources, describe, find_cut
from pipeline.verify.hbase_rows import instant_filter, read_rows
from pipeline.verify.order_log import log_files, read_log
from pipeline.verify.report import Outcome
from pipeline.verify.scope import Scope, full_condition, held_dates, oldest_arrival
from pipeline.verify.scratch import Scratch, open_scratch

SHOWN_PER_RULE: Final = 10
HOPS: Final = {"log": "log files", "topic": "topic", "raw": "HDFS raw", "hbase": "HBase",
               "cln": "transactions_cln", "quar": "quarantine"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stores:
    """Where everything is read: the cut's sources, HBase's Thrift server, folders on HDFS.

    partition_hours: how many hours a partition of transactions_cln has.
    """

    sources: Sources
    thrift: Address
    partition_hours: int
    table: str = "orders"
    raw: str = RAW
    transactions: str = TRANSACTIONS
    quarantine: str = QUARANTINE


class Comparison:
    """Compares the stores of one pipeline.

    zone: the programme's time zone; retention: how long a log file stays after its last line.
    """

    def __init__(
        self,
        stores: Stores,
        zone: str,
        retention: timedelta,
        note: Note,
        begin: Begin = begin_unseen,
    ) -> None:
        self._stores = stores
        self._hdfs = stores.sources.hdfs
        self._topic = stores.sources.topic
        self._zone = zone
        self._retention = retention
        self._note = note
        self._begin = begin
        self._expected: int | None = None

    def run(self, asked: Scope, wait_s: float | None, answers: Path | None = None) -> Outcome:
        """Compare the dates asked for, after waiting for the cut at most wait_s (None: not).

        answers: a producer's answer key, to be compared with everything. Raises Unavailable when
        a store or the cut cannot be reached, Refused for a file that is no key, LoyaltyError where
        the slowest hop has taken nothing, so that there is nothing to compare.
        """
        key = open_key(answers) if answers else None
        cut = find_cut(self._stores.sources, wait_s, self._note)
        if cut.behind and cut.reached == cut.held:
            raise LoyaltyError(
                f"Nothing could be compared: {describe(cut.behind)}; `./loyalty status` shows why,"
                " or give --wait."
            )
        with temporary_folder("verify") as folder, open_scratch(folder, self._zone) as scratch:
            if key:
                load_key(scratch, key)
            whole = self._read(scratch, folder, cut, asked, key)
            outcome = self._judge(scratch, cut, is_open=asked.is_everything, is_whole=whole)
            return _with_key(scratch, outcome) if key else outcome

    def _read(
        self, scratch: Scratch, folder: Path, cut: Cut, asked: Scope, key: KeyFile | None
    ) -> bool:
        """Load every hop and find out which lines are judged; tells whether all of them are."""
        scratch.allow(sum(cut.ends.values()) - sum(cut.held.values()))
        if asked.is_everything and not any(cut.held.values()):
            self._expected = sum(cut.ends.values())  # whatever the hop, so many lines or some more
        self._load(scratch, "log", _head(cut), tail=False)
        self._load(scratch, "topic", read_messages(self._topic, cut.held, cut.ends))
        expired = any(cut.held.values())
        scope, oldest = asked, None
        if expired or not asked.is_everything:
            oldest = oldest_arrival(scratch, asked)
        folders = raw_folders(self._hdfs, self._stores.raw)
        taken = [f for f in folders if oldest is None or f.arrival >= oldest]
        full_from = oldest + timedelta(days=1) if oldest and len(taken) < len(folders) else None
        if whole := first_whole_date(self._hdfs, self._stores.raw):
            full_from = max(full_from or whole, whole)
        if asked.is_everything and full_from:
            scope = held_dates(scratch, key_days(scratch) if key else frozenset())

        self._load(scratch, "raw", read_raw(self._hdfs, taken, folder))
        self._load(scratch, "hbase", self._rows(scope))
        self._load(scratch, "cln", self._table(self._stores.transactions, scope, folder))
        self._load(scratch, "quar", self._table(self._stores.quarantine, Scope(), folder))

        ends = self._topic.ends()
        self._load(scratch, "topic", read_messages(self._topic, cut.ends, ends))
        self._load(scratch, "log", _tail(cut, self._stores.sources.order_log), tail=True)
        presence.declare(scratch, cut, self._stores.partition_hours)
        presence.find_out(
            scratch, cut.started - self._retention,
            gone=expired or _was_made_anew(scratch, cut.topic_id),
            full_from=full_from, condition=full_condition(scope, full_from),
        )  # fmt: skip
        return scope.is_everything

    def _judge(self, scratch: Scratch, cut: Cut, *, is_open: bool, is_whole: bool) -> Outcome:
        begun = time.monotonic()
        listed, found = findings.differences(scratch, SHOWN_PER_RULE)
        counted = findings.gaps(scratch)
        if cut.record and is_open:
            counted += findings.recorded(scratch, cut.record, of_epoch=is_whole)
        outcome = Outcome(findings.counts(scratch), findings.totals(scratch), listed + counted,
                          found + len(counted), cut.behind,
                          unsure=findings.unsure(scratch, cut.started))  # fmt: skip
        self._note(f"compared in {time.monotonic() - begun:.1f} s")
        return outcome

    def _rows(self, scope: Scope) -> Iterator[Any]:
        instants = scope.instants(ZoneInfo(self._zone))
        row_filter = instant_filter(*instants) if instants else None
        return read_rows(self._stores.thrift, row_filter, self._stores.table)

    def _table(self, table: str, scope: Scope, folder: Path) -> Iterator[Any]:
        is_quarantine = table == self._stores.quarantine
        query = tables.QUARANTINE if is_quarantine else tables.TRANSACTIONS
        files = tables.table_files(self._hdfs, table, scope.wants)
        return tables.read_table(self._hdfs, files, query, self._zone, folder)

    def _load(
        self, scratch: Scratch, hop: str, batches: Iterable[Any], **constants: object
    ) -> None:
        begun = time.monotonic()
        progress = self._begin(HOPS[hop], "lines")
        expected = None if hop == "quar" or constants.get("tail") else self._expected
        lines = scratch.load(hop, counted(batches, progress, expected), **constants)
        seconds = time.monotonic() - begun
        self._note(f"{HOPS[hop]}: {lines:,} lines read in {seconds:.1f} s")


def _with_key(scratch: Scratch, outcome: Outcome) -> Outcome:
    counts, listed, found = judge_key(scratch, SHOWN_PER_RULE)
    return replace(outcome, differences=[*outcome.differences, *listed],
                   found=outcome.found + found, key=counts)  # fmt: skip


def _head(cut: Cut) -> Iterator[Any]:
    return chain.from_iterable(read_log(file.path, 0, end) for file, end in cut.files)


def _tail(cut: Cut, folder: Path) -> Iterator[Any]:
    """Read what the log files hold beyond the cut by now."""
    compared = {(file.path, file.inode): end for file, end in cut.files}
    return chain.from_iterable(
        read_log(file.path, compared.get((file.path, file.inode), 0), file.end)
        for file in log_files(folder)
    )


def _was_made_anew(scratch: Scratch, topic_id: str) -> bool:
    """Tell whether the tables know another topic: this one then lacks what that one held."""
    return bool(
        scratch.value(
            "select exists (from (select tid from cln union all select tid from quar)"
            " where tid != $topic_id)",
            topic_id=topic_id,
        )
    )
