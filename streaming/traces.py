"""What the tables still tell of a topic where record and checkpoint are both lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb

from pipeline.stores.fetched import fetched
from pipeline.stores.tables import table_files
from pipeline.topic import name_number, plain_id
from pipeline.webhdfs import Hdfs
from streaming.staging import Counts, Record

_ENDS: Final = """
select kafka_topic_id, kafka_partition, max(kafka_offset),
       epoch_ms(arg_max({came}, kafka_offset))
from read_parquet($file) where kafka_topic_id is not null group by all
"""


def trace(
    hdfs: Hdfs,
    tables: dict[str, str],
    topic_id: str,
    scratch: Path,
    at_work: Callable[[], None] = lambda: None,
) -> Record | None:
    """Give a record with the name by which the topic was read last, the offset after its last
    stored line, and when the broker got that; None where no row is of this topic.

    tables: by folder on HDFS, the column with the time of arrival. at_work: is called again and
    again. A file that cannot be read is left out: whoever compares with it says so.
    """
    newest: dict[str, dict[int, tuple[int, int]]] = {}
    with duckdb.connect() as connection:
        for table, came in tables.items():
            paths = (file.path for file in table_files(hdfs, table, lambda _day: True))
            for _, copy in fetched(hdfs, paths, scratch):
                at_work()
                try:
                    ends = connection.execute(_ENDS.format(came=came), {"file": str(copy)})
                except duckdb.Error:
                    continue
                for tid, part, offset, appended in ends.fetchall():
                    if plain_id(tid) == topic_id:
                        known = newest.setdefault(tid, {})
                        known[part] = max(known.get(part, (-1, 0)), (offset, appended))
    if not newest:
        return None
    name = max(newest, key=name_number)
    after = {part: offset + 1 for part, (offset, _) in newest[name].items()}
    appended = {part: at for part, (_, at) in newest[name].items()}
    nothing = Counts()
    return Record(0, 0, name, {}, {}, after, nothing, nothing, appended=appended, reached=after)
