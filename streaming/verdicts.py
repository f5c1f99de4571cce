"""quarantine as it lies on HDFS: its verdicts, read by path, so also while HiveServer2 is away."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import LoyaltyError
from pipeline.order import REASONS
from pipeline.places import QUARANTINE
from pipeline.stores.fetched import fetched
from pipeline.stores.tables import table_files
from pipeline.webhdfs import Hdfs
from streaming.files import QUARANTINE as QUARANTINE_COLUMNS

SAMPLES: Final = 3
_LOOKED_AT: Final = 20
"""Rows of a file among which its samples are looked for: the same bad line often comes again."""


@dataclass(slots=True)
class Reason:
    """One reason: how many rows, the newest one's seen_at (UTC), different newest samples."""

    name: str
    count: int = 0
    newest: datetime | None = None
    samples: list[tuple[datetime, bytes]] = field(default_factory=list)


def verdict_files(hdfs: Hdfs, since: date | None = None, table: str = QUARANTINE) -> list[str]:
    """List the table's files, of arrivals from a date on; lines that come later are not in them."""
    return [f.path for f in table_files(hdfs, table, lambda day: since is None or day >= since)]


def refuse_unreadable(path: str) -> None:
    """Raise LoyaltyError for a file of the table that is no Parquet file of its columns."""
    raise LoyaltyError(
        f"{path} is no file of quarantine that can be read; `./loyalty rebuild --repair` sets it "
        "aside and has the topic's lines judged again."
    )


def read_verdicts(
    hdfs: Hdfs,
    files: Iterable[str],
    columns: list[str],
    scratch: Path,
    unread: Callable[[str], None] = refuse_unreadable,
) -> Iterator[pa.Table]:
    """Give the rows of each file, in some of the columns of streaming.files.QUARANTINE. unread: is
    told the path of each that cannot be read; raises LoyaltyError for such a one if not given.
    """
    for path, copy in fetched(hdfs, files, scratch):
        try:
            rows = pq.read_table(copy, columns=columns, partitioning=None)
            rows = rows.cast(pa.schema([QUARANTINE_COLUMNS.field(name) for name in columns]))
        except (pa.ArrowException, OSError, KeyError, ValueError):
            unread(path)
            continue
        yield rows


def by_reason(tables: Iterable[pa.Table]) -> list[Reason]:
    """Summarize rows (columns raw, reason, seen_at), in the order in which reasons apply."""
    found: dict[str, Reason] = {}
    for table in tables:
        for name in pc.unique(table["reason"]).to_pylist():
            reason = found.setdefault(name, Reason(name))
            _add(reason, table.filter(pc.equal(table["reason"], name)))
    known = {name: at for at, name in enumerate(REASONS)}
    return sorted(found.values(), key=lambda r: (known.get(r.name, len(known)), r.name))


def _add(reason: Reason, rows: pa.Table) -> None:
    reason.count += len(rows)
    newest = rows.sort_by([("seen_at", "descending")]).slice(0, _LOOKED_AT)
    times, raws = newest["seen_at"].to_pylist(), newest["raw"].to_pylist()
    candidates = sorted([*reason.samples, *zip(times, raws, strict=True)], reverse=True)
    reason.newest = candidates[0][0]
    latest: dict[bytes, datetime] = {}
    for seen_at, raw in candidates:
        latest.setdefault(raw, seen_at)
    reason.samples = [(seen_at, raw) for raw, seen_at in latest.items()][:SAMPLES]
