"""The scratch database: every hop's lines in DuckDB, on disk in a temporary folder.

A line's text is kept once, in `texts`, with what is derived from it; the hops' tables name it by
its 128-bit hash `h`. The hash is of the whole line; of a line above 4,096 bytes the text is cut
there (a good line has some hundred). Nothing here knows what a good line is: a text is split at
`|` and no more.

    texts   h, line, day (business date or null: none), amount (null: none), i (hash of the text up
            to the fifth `|`, the identity)
    log     h, tail (beyond the cut)
    topic   h, p, off, ts (append time, epoch milliseconds)
    raw     h, arrival
    hbase   h
    cln     h, tid, p, off, derived (its other columns follow from the line), file, day, block (its
            partition's odr_hr), hour (the programme's, of ordered_at), came (ingested_at, epoch us)
    quar    h, tid, p, off, reason, file, day (of arrival), due (what that has to be by seen_at),
            came (seen_at, epoch us)
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

MB: Final = 300
"""The memory that it may take for up to two million lines; what does not fit goes to the disk."""
MB_FOR_A_MILLION: Final = 130
"""For more; measured: 7.7 million lines need more than 286 MiB and less than 1 GB."""
MOST_MB: Final = 1000
"""Some seven million lines; more are for --from and --to."""
HEAD_BYTES: Final = 4_096
"""What is kept of a line. DuckDB takes 2,048 lines at a time, several times in memory."""
GATHERED_BYTES: Final = 2 << 20
"""At least so much is taken in by one statement, in whole tables as they come."""
HOPS: Final = {
    "log": {"tail": "boolean"},
    "topic": {"p": "integer", "off": "bigint", "ts": "bigint"},
    "raw": {"arrival": "date"},
    "hbase": {},
    "cln": {"tid": "varchar", "p": "integer", "off": "bigint", "derived": "boolean",
            "file": "varchar", "day": "date", "block": "integer", "hour": "integer",
            "came": "bigint"},
    "quar": {"tid": "varchar", "p": "integer", "off": "bigint", "reason": "varchar",
             "file": "varchar", "day": "date", "due": "date", "came": "bigint"},
}  # fmt: skip
"""The tables of the hops, with the columns beside h."""

# A blob shown as text is one to one: what is not printable ASCII becomes \xNN. The amount is the
# ninth field where that is plain digits (at most 12 before the point and 4 after it).
_TEXTS: Final = r"""
insert into texts
select h, line,
       case when regexp_full_match(f2, '[0-9]{13}')
            then timezone($zone, make_timestamptz(f2::bigint * 1000))::date end,
       case when regexp_full_match(f9, '-?[0-9]{1,12}([.][0-9]{1,4})?')
            then f9::decimal(18, 4) end,
       md5_number(regexp_extract(text, '^(?:[^|]*[|]){4}[^|]*'))
from (
    select h, line, text, split_part(text, '|', 2) as f2, split_part(text, '|', 9) as f9
    from (
        select h, line, line::varchar as text
        from (select h, any_value(line) as line
              from incoming anti join texts using (h) group by h)
    )
)
"""


class Scratch:
    """One comparison's database. Errors are DuckDB's: a full disk, a broken query."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, zone: str) -> None:
        self._connection = connection
        self._zone = zone
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            "create table texts (h uhugeint, line blob, day date, amount decimal(18, 4),"
            " i uhugeint)"
        )
        for hop, columns in HOPS.items():
            connection.execute(f"create table {hop} ({_columns({'h': 'uhugeint'} | columns)})")

    def load(self, hop: str, batches: Iterable[Any], **constants: object) -> int:
        """Take in a hop's lines; gives their number.

        batches: Arrow tables with `line` (binary) and the hop's columns; constants: the value of
        a column that is the same in all of them.
        """
        columns = HOPS[hop]
        names = "".join(f", {name}" for name in columns)
        values = "".join(f", ${n}" if n in constants else f", {n}" for n in columns)
        self._connection.execute(
            f"create table incoming ({_columns({'h': 'uhugeint', 'line': 'blob'} | columns)})"
        )
        lines = 0
        for batch in _gathered(batches):
            head = pc.binary_slice(batch["line"], 0, HEAD_BYTES)
            self._connection.register("batch", batch.append_column("head", head))
            self._connection.execute(
                f"insert into incoming select md5_number(line), head{values} from batch",  # noqa: S608
                constants or None,
            )
            self._connection.unregister("batch")
            lines += batch.num_rows
        self._connection.execute(_TEXTS, {"zone": self._zone})
        self._connection.execute(f"insert into {hop} select h{names} from incoming")  # noqa: S608
        self._connection.execute("drop table incoming")
        return lines

    def rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        """Run a query and give its rows."""
        return self._connection.execute(query, parameters or None).fetchall()

    def value(self, query: str, **parameters: object) -> Any:
        """Run a query that gives one row, and give the row's first value."""
        return self.rows(query, **parameters)[0][0]

    def insert(self, statement: str, batch: pa.Table) -> None:
        """Run a statement that takes its rows from `batch`, and `$zone`."""
        self._connection.register("batch", batch)
        self._connection.execute(statement, {"zone": self._zone})
        self._connection.unregister("batch")

    def allow(self, lines: int) -> None:
        """Let it take the memory that so many lines need."""
        megabytes = min(MOST_MB, max(MB, lines * MB_FOR_A_MILLION // 1_000_000))
        self._connection.execute(f"set memory_limit = '{megabytes}MB'")

    def put(self, name: str, rows: pa.Table) -> None:
        """Make a table of some rows."""
        self._connection.register("batch", rows)
        self._connection.execute(f"create table {name} as from batch")
        self._connection.unregister("batch")


@contextmanager
def open_scratch(folder: Path, zone: str) -> Iterator[Scratch]:
    """Open a new database in a folder; what does not fit into its memory goes there too."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{MB}MB",
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": "false",
    }
    with duckdb.connect(folder / "lines.duckdb", config=config) as connection:
        yield Scratch(connection, zone)


def _gathered(batches: Iterable[Any]) -> Iterator[pa.Table]:
    """Put small tables of one schema together: a statement costs as much as thousands of lines."""
    held: list[pa.Table] = []
    size = 0
    for batch in batches:
        if held and batch.schema != held[0].schema:  # files that somebody else has written
            yield pa.concat_tables(held)
            held, size = [], 0
        held.append(batch)
        size += batch.nbytes
        if size >= GATHERED_BYTES:
            yield pa.concat_tables(held)
            held, size = [], 0
    if held:
        yield pa.concat_tables(held)


def _columns(columns: dict[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())
