"""The Parquet tables as lines: `transactions_cln` by its ten fields, `quarantine` by its raw bytes.

Read by path, the highest generation of each partition. Every file counts that Hive would read
(no name that begins with `_` or `.`), whatever its name.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import LoyaltyError
from pipeline.generations import numbers
from pipeline.stores.fetched import fetched
from pipeline.webhdfs import Hdfs

_PARTITION: Final = re.compile(r"[a-z_]+=(.+)")
_BLOCK: Final = re.compile(r"/odr_hr=([0-9]{1,2})/")
_GROUP: Final = 64
_BATCH: Final = 2_048
"""Rows at a time: each may be a bad line of 64 KiB."""

TRANSACTIONS: Final = """
select encode(
         coalesce(cust_id::varchar, '')
         || '|' || coalesce(case when epoch_us(ordered_at) % 1000 = 0
                                 then (epoch_us(ordered_at) // 1000)::varchar
                                 else epoch_us(ordered_at)::varchar || 'us' end, 'NULL')
         || '|' || coalesce(order_id, 'NULL')
         || '|' || coalesce(line_no::varchar, 'NULL')
         || '|' || coalesce(event, 'NULL')
         || '|' || coalesce(store_id::varchar, 'NULL')
         || '|' || coalesce(odr_menu, 'NULL')
         || '|' || coalesce(quantity::varchar, 'NULL')
         || '|' || coalesce(amount::varchar, 'NULL')
         || '|' || coalesce(ref, '')) as line,
       kafka_topic_id as tid, kafka_partition as p, kafka_offset as off,
       odr_prc is not distinct from
         case event when 'SALE' then amount when 'REFUND' then -amount else 0 end
       and odr_tms is not distinct from
         strftime(timezone($zone, ordered_at::timestamptz), '%d-%m-%Y %H:%M:%S') as derived,
       epoch_us(ingested_at) as came, hour(timezone($zone, ordered_at::timestamptz)) as hour,
       filename
from read_parquet($files, filename = true, hive_partitioning = false)
"""
"""A null where a line has a field shows as NULL: the line then differs from every real one."""

QUARANTINE: Final = """
select raw as line, kafka_topic_id as tid, kafka_partition as p, kafka_offset as off, reason,
       epoch_us(seen_at) as came, timezone($zone, seen_at::timestamptz)::date as due,
       filename
from read_parquet($files, filename = true, hive_partitioning = false)
"""


class TableFile(NamedTuple):
    """A Parquet file on HDFS and the date that its partition's first level says."""

    path: str
    day: date


def table_files(hdfs: Hdfs, table: str, wants: Callable[[date], bool]) -> Iterator[TableFile]:
    """List the files of a table's partitions of the dates that are wanted."""
    for name in sorted(hdfs.names(table)):
        found = _PARTITION.fullmatch(name)
        day = _date(found[1]) if found else None
        if day and wants(day):
            yield from (TableFile(path, day) for path in _newest(hdfs, f"{table}/{name}"))


def _newest(hdfs: Hdfs, folder: str) -> Iterator[str]:
    names = hdfs.names(folder)
    if found := numbers(names):
        newest = f"{folder}/g={found[-1]}"
        for name in sorted(hdfs.names(newest)):
            if name[0] not in "._":
                yield f"{newest}/{name}"
        return
    for name in sorted(filter(_PARTITION.fullmatch, names)):
        yield from _newest(hdfs, f"{folder}/{name}")


def read_table(
    hdfs: Hdfs, files: Iterable[TableFile], query: str, zone: str, scratch: Path
) -> Iterator[pa.Table]:
    """Give the rows of some files by one of the queries above, and `file`, the path on HDFS,
    with `day`, its partition's date, and `block`, its odr_hr (null: none).
    """
    connection = duckdb.connect(config={"memory_limit": "200MB", "temp_directory": str(scratch)})
    connection.execute("set timezone = 'UTC'")
    days: dict[str, date] = {}

    def paths() -> Iterator[str]:
        for file in files:
            days[file.path] = file.day
            yield file.path

    with connection:
        group: dict[str, str] = {}
        for path, copy in fetched(hdfs, paths(), scratch):
            kept = copy.rename(scratch / f"{copy.name}.parquet")
            group[str(kept)] = path
            if len(group) == _GROUP:
                yield from read_copies(connection, query, zone, group, days)
        if group:
            yield from read_copies(connection, query, zone, group, days)


def read_copies(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    zone: str,
    group: dict[str, str],
    days: dict[str, date],
) -> Iterator[pa.Table]:
    """Read a group of local copies, as read_table gives them, then remove and forget them.

    group: paths on HDFS by copy; days: the dates of these paths. Raises LoyaltyError that names a
    copy that is no Parquet file.
    """
    names = pa.table({
        "filename": list(group),
        "file": list(group.values()),
        "day": pa.array([days[path] for path in group.values()], pa.date32()),
        "block": pa.array([_block(path) for path in group.values()], pa.int32()),
    })  # fmt: skip
    connection.register("names", names)
    try:
        rows = connection.sql(
            f"select r.* exclude (filename), n.file, n.day, n.block from ({query}) r"  # noqa: S608 (ours)
            " join names n using (filename)",
            params={"files": list(group), "zone": zone},
        )
        for batch in rows.to_arrow_reader(_BATCH):
            yield pa.Table.from_batches([batch])
    except (duckdb.Error, pa.ArrowException, OSError) as error:  # Arrow's reader says OSError
        raise LoyaltyError(_readable(error, group)) from error
    finally:
        for copy in group:
            Path(copy).unlink()
        group.clear()


def _readable(error: Exception, group: dict[str, str]) -> str:
    """Say which of the copies is no Parquet file, and what mends it."""
    text = str(error).partition("\n")[0]
    for copy, path in group.items():
        text = text.replace(copy, path)
    broken = [path for copy, path in group.items() if not _opens(copy)]
    one = broken[0] if broken else f"A file among {', '.join(list(group.values())[:3])} …"
    return (
        f"{one} cannot be read: {text}. `./loyalty rebuild --repair` makes a partition of "
        "transactions_cln again, sets a file of quarantine aside and has its lines judged again."
    )


def _opens(copy: str) -> bool:
    try:
        pq.ParquetFile(copy).close()
    except (pa.ArrowException, OSError):
        return False
    return True


def _block(path: str) -> int | None:
    found = _BLOCK.search(path)
    return int(found[1]) if found else None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
