"""Rebuilt rows against live ones, row by row, in DuckDB on disk: a year of orders fits.

rebuilt   place, h (hash of the line), i (hash of its identity), the columns KEPT
live      n, h, i, in_cut (before the cut), file, the table's columns and odr_dt, odr_hr
refused   h                                    lines of raw that are none by today's rules
verdicts  h, reason, tid, p, off, seen_at      what quarantine says
beyond    h                                    lines of the topic that are beyond the cut
kept      n                                    foreign rows that a repair leaves
messages, unjudged, counted                    what the topic tells: batch/topic_lines.py
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from batch.judgement import STATEMENTS
from batch.master import KEPT
from streaming.files import TRANSACTIONS
from streaming.identities import IDENTITY, joined, lines

KINDS: Final = {
    "missing": "missing in transactions_cln",
    "foreign": "foreign in transactions_cln",
    "other": "other content in transactions_cln",
}
MEMORY: Final = "300MB"


@dataclass(frozen=True, slots=True)
class Difference:
    """One differing row: a kind of KINDS, its partition, the lines as they are and should be."""

    kind: str
    partition: str
    live: bytes | None
    rebuilt: bytes | None
    note: str

    @property
    def identity(self) -> bytes:
        """The first five fields of the line."""
        return b"|".join((self.rebuilt or self.live or b"").split(b"|")[: len(IDENTITY)])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was compared. counts: differences by kind; listed: the first of them."""

    rebuilt: int
    live: int
    counts: dict[str, int] = field(default_factory=dict)
    listed: list[Difference] = field(default_factory=list)


class Comparison:
    """One comparison's database."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute("set timezone = 'UTC'")
        connection.execute("create sequence numbers")
        connection.execute(
            "create table verdicts (h uhugeint, reason varchar, tid varchar, p integer,"
            " off bigint, seen_at timestamptz)"
        )
        connection.execute("create table beyond (h uhugeint)")
        connection.execute("create table counted (h uhugeint)")
        connection.execute("create table refused (h uhugeint)")
        connection.execute(
            "create table messages (h uhugeint, p integer, off bigint, ts bigint, early boolean)"
        )
        connection.execute("create table unjudged (h uhugeint, p integer, off bigint)")
        connection.execute("create table kept (n bigint)")
        self._make("rebuilt", _COLUMNS_REBUILT, "")
        self._make("live", _COLUMNS_LIVE, "true as in_cut, 0::bigint as n,")

    def take_rebuilt(self, batches: Iterable[pa.Table]) -> None:
        """Take in rows of the columns KEPT and `place`."""
        for rows in batches:
            self._insert("rebuilt", rows.cast(_COLUMNS_REBUILT), "")

    def take_refused(self, batches: Iterable[pa.Table]) -> None:
        """Take in the lines of raw (column line) that today's rules refuse."""
        for rows in batches:
            self.insert("insert into refused select md5_number(line) from batch", rows)

    def take_live(
        self, batches: Iterable[pa.Table], topic_id: str, reached: dict[int, int]
    ) -> None:
        """Take in rows of the table (batch.live); reached: by Kafka partition, the cut's offset."""
        ends = pa.table({"part": pa.array(list(reached), pa.int32()),
                         "end_at": pa.array(list(reached.values()), pa.int64())})  # fmt: skip
        self._connection.register("ends", ends)
        in_cut = (
            "(b.kafka_topic_id is distinct from $topic_id or coalesce(b.kafka_offset < (select"
            " end_at from ends where part = b.kafka_partition), false)) as in_cut,"
            " nextval('numbers') as n,"
        )
        for rows in batches:
            self._insert("live", rows, in_cut, topic_id=topic_id)
        self._connection.unregister("ends")

    def take_verdicts(self, batches: Iterable[pa.Table]) -> None:
        """Take in rows of quarantine (schema QUARANTINE of streaming.files)."""
        for rows in batches:
            self.insert(
                "insert into verdicts select md5_number(raw), reason, kafka_topic_id,"
                " kafka_partition, kafka_offset, seen_at from batch", rows)  # fmt: skip

    def take_beyond(self, batches: Iterable[pa.Table]) -> None:
        """Take in the topic's lines (column line) that are beyond the cut."""
        for rows in batches:
            self.insert("insert into beyond select md5_number(line) from batch", rows)

    def judge(self, most: int) -> Outcome:
        """Compare, once; lists at most so many differences."""
        for statement in STATEMENTS:
            self._connection.execute(statement)
        rebuilt, live = self.values(
            "select (select count(*) from expected), (select count(*) from live)"
        )[0]
        counts = self.values("select kind, count(*) from differences group by kind")
        return Outcome(rebuilt, live, dict(counts), list(self._listed(most)))

    def partitions(self) -> list[str]:
        """Give the partitions that a repair changes: odr_dt=…/odr_hr=…, but for rows kept."""
        found = self.values(
            "select right_dt as day, right_hr as hour from placed where place is not null"
            " union select live_dt, live_hr from placed"
            " where n is not null and n not in (from kept) order by all"
        )
        return [f"odr_dt={day}/odr_hr={hour}" for day, hour in found]

    def missing_ends(self) -> tuple[int, int] | None:
        """Give the first and the last instant (epoch ms) of the rows called missing, if any."""
        ((low, high),) = self.values(
            "select min(epoch_ms(ordered_at)), max(epoch_ms(ordered_at))"
            " from differences join rebuilt using (place) where kind = 'missing'"
        )
        return None if low is None else (low, high)

    def found_in(self, batches: Iterable[pa.Table]) -> list[str]:
        """Name the partitions in whose rows (batch.live) there are events called missing."""
        self._make("elsewhere", _COLUMNS_LIVE, "")
        for rows in batches:
            self._insert("elsewhere", rows, "")
        found = self.values(
            "select distinct odr_dt, odr_hr from elsewhere where i in (select i from differences"
            " join rebuilt using (place) where kind = 'missing') order by all"
        )
        return [f"odr_dt={day}/odr_hr={hour}" for day, hour in found]

    def execute(self, statement: str, **parameters: object) -> None:
        """Run a statement that gives nothing."""
        self._connection.execute(statement, parameters or None)

    def rows(self, query: str, **parameters: object) -> pa.Table:
        """Run a query and give its rows."""
        return self._connection.sql(query, params=parameters or None).to_arrow_table()

    def values(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Run a query and give its rows as tuples."""
        return self._connection.execute(query, parameters or None).fetchall()

    def insert(self, statement: str, batch: pa.Table, **parameters: object) -> None:
        """Run a statement that reads the rows `batch`."""
        self._connection.register("batch", batch)
        self._connection.execute(statement, parameters or None)
        self._connection.unregister("batch")

    def _listed(self, most: int) -> Iterator[Difference]:
        found = self.values(
            "select kind, place, n, coalesce(right_dt, live_dt), coalesce(right_hr, live_hr)"
            " from placed order by all limit $most", most=most,
        )  # fmt: skip
        for kind, place, n, day, hour in found:
            live, right = self._row("live", "n", n), self._row("rebuilt", "place", place)
            yield Difference(
                kind, f"odr_dt={day}/odr_hr={hour}",
                lines(live)[0] if live else None, lines(right)[0] if right else None,
                self._note(live, right),
            )  # fmt: skip

    def _row(self, table: str, key: str, value: int | None) -> pa.Table | None:
        if value is None:
            return None
        query = f"select * exclude (h, i) from {table} where {key} = {value:d}"  # noqa: S608
        return self.rows(query)

    def _note(self, live: pa.Table | None, right: pa.Table | None) -> str:
        """Say what else is known: columns that differ, the file, an older verdict."""
        if live is None and right is not None:
            verdicts = self.values(
                "select distinct reason from verdicts"
                " where h = (select h from rebuilt where place = $place)"
                " and reason not in ('FUTURE', 'CONFLICT') order by all",
                place=_value(right, "place"),
            )
            if verdicts:
                return f"quarantined as {verdicts[0][0]} under older rules"
            return ""
        if live is None:
            return ""
        if right is None:
            refused = "refused by today's rules, " if self._is_refused(live) else ""
            return f"{refused}in {_value(live, 'file')}"
        columns = [name for name in KEPT if _value(live, name) != _value(right, name)]
        return f"{', '.join(columns)} differ in {_value(live, 'file')}"

    def _is_refused(self, live: pa.Table) -> bool:
        line = lines(live)[0]
        query = "select exists (from refused where h = md5_number($line))"
        return bool(self.values(query, line=line)[0][0])

    def _make(self, table: str, schema: pa.Schema, more: str) -> None:
        columns = "0::uhugeint as h, 0::uhugeint as i, " + more
        self._connection.register("batch", schema.empty_table())
        self._connection.execute(
            f"create table {table} as select {columns} * from batch"  # noqa: S608
        )
        self._connection.unregister("batch")

    def _insert(self, table: str, rows: pa.Table, more: str, **parameters: object) -> None:
        rows = rows.append_column("line_text", pa.array(lines(rows), pa.binary()))
        identity = joined(rows, IDENTITY).cast(pa.binary())
        rows = rows.append_column("identity_text", identity)
        self.insert(
            f"insert into {table} select md5_number(line_text), md5_number(identity_text), {more}"  # noqa: S608
            " b.* exclude (line_text, identity_text) from batch b", rows, **parameters,
        )  # fmt: skip


_PARTITION: Final = [("odr_dt", pa.date32()), ("odr_hr", pa.int32())]
_COLUMNS_LIVE: Final = pa.schema([*TRANSACTIONS, *_PARTITION, ("file", pa.string())])
_COLUMNS_REBUILT: Final = pa.schema(
    [*(_COLUMNS_LIVE.field(name) for name in KEPT), ("place", pa.int64())]
)


@contextmanager
def open_comparison(folder: Path) -> Iterator[Comparison]:
    """Open a new database in a folder; what does not fit into 300 MB of memory goes there too."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": "false",
    }
    with duckdb.connect(folder / "rebuild.duckdb", config=config) as connection:
        yield Comparison(connection)


def _value(row: pa.Table, name: str) -> Any:
    return row[name][0].as_py()


def partition_values(partition: str) -> tuple[date, int]:
    """Read odr_dt=2019-04-05/odr_hr=0."""
    day, hour = (part.partition("=")[2] for part in partition.split("/"))
    return date.fromisoformat(day), int(hour)
