"""Where a rebuilt row came from: topic, partition, offset, and the broker's append time.

Raw has none of it. A row that was there keeps what it had. Of one that was missing the topic tells
while it still holds the line: the lowest offset before the cut that is not quarantined (so it is
the one that the stream had counted as clean). Otherwise the four columns are null: not known.
"""

from typing import Final

import pyarrow as pa

from batch.comparison import Comparison, partition_values
from streaming.files import TRANSACTIONS

_FOUND: Final = """
create table found as
select t.h, t.p, t.off, t.ts from messages t
where not exists (from verdicts v
                  where v.tid = $topic_id and v.p = t.p and v.off = t.off)
"""
_DISPROVED: Final = """
create table disproved as
select n from differences d join live l using (n)
join messages m on m.p = l.kafka_partition and m.off = l.kafka_offset
where d.kind = 'foreign' and l.kafka_topic_id = $topic_id and m.h != l.h
"""
# What raw lacks is no proof against a row: its line may be in the log only, where the topic was
# made anew or has lost it. A row goes that came from nowhere, whose offset holds another line or is
# a quarantined one's, and each further copy of an event; and one that today's rules refuse, where
# the topic still holds its line, so that the stream can quarantine it.
_KEPT: Final = """
insert into kept
select n from differences d join live l using (n)
where d.kind = 'foreign' and l.kafka_topic_id is not null and n not in (from disproved)
  and i not in (select i from expected)
  and not (h in (from refused) and h in (select h from messages))
  and not exists (from verdicts v where v.tid = l.kafka_topic_id and v.p = l.kafka_partition
                                    and v.off = l.kafka_offset)
qualify row_number() over (partition by i order by l.kafka_offset, n) = 1
"""
_ORIGINS: Final = """
create table origins as
with own as (
    select d.place, l.ingested_at, l.kafka_topic_id as tid, l.kafka_partition as p,
           l.kafka_offset as off
    from differences d join live l using (n) where d.kind = 'other'
), seen as (
    select d.place, epoch_ms(f.ts)::timestamptz as ingested_at, $topic_id as tid, f.p, f.off
    from differences d join rebuilt r using (place) join found f on f.h = r.h
), candidates as (
    select s.*, case when o.off is null then 1 else 0 end as rank
    from seen s left join own o using (place, tid, p, off)
    union all
    -- an offset that the topic still holds is the line's only if it was found there
    select own.*, 2 from own left join held using (p)
    where own.tid is distinct from $topic_id or own.off < held.first_held
)
select place, ingested_at, tid, p, off
from candidates qualify row_number() over (partition by place order by rank, off) = 1
"""
_ROWS: Final = """
select l.* exclude (n, h, i, in_cut, file) from live l
where l.odr_dt = $day and l.odr_hr = $hour
  and n not in (select n from differences where n is not null and n not in (from kept))
union all by name
select r.* exclude (place, h, i), o.ingested_at, o.tid as kafka_topic_id, o.p as kafka_partition,
       o.off as kafka_offset
from differences d join rebuilt r using (place) left join origins o using (place)
where r.odr_dt = $day and r.odr_hr = $hour
"""
_SCHEMA: Final = pa.schema([*TRANSACTIONS, ("odr_dt", pa.date32()), ("odr_hr", pa.int32())])


def find_origins(comparison: Comparison, topic_id: str) -> int:
    """Look for the lines of differing rows among the topic's messages (batch/topic_lines.py).

    Gives how many foreign rows stay, because nothing disproves them: it is raw that lacks their
    line.
    """
    comparison.execute(_DISPROVED, topic_id=topic_id)
    comparison.execute(_FOUND, topic_id=topic_id)
    comparison.execute(_KEPT)
    comparison.execute(_ORIGINS, topic_id=topic_id)
    ((kept,),) = comparison.values("select count(*) from kept")
    return int(kept)


def repaired_rows(comparison: Comparison, partition: str) -> pa.Table:
    """Give all rows that a partition (odr_dt=…/odr_hr=…) shall have; find_origins comes before.

    Columns of TRANSACTIONS, then odr_dt and odr_hr. Rows beyond the cut stay as they are.
    """
    day, hour = partition_values(partition)
    rows = comparison.rows(_ROWS, day=day, hour=hour)
    return rows.select(_SCHEMA.names).cast(_SCHEMA)
