"""What the topic tells a rebuild: which lines came too early, counted later, or were never judged.

    messages  h, p, off, ts, early         lines before the cut; early: FUTURE by the broker's time
    held      p, first_held                the first offset of each partition that there still is
    unjudged  h, p, off                    of messages: offsets that quarantine says nothing of
    counted   h                            lines once FUTURE that counted later

A verdict FUTURE that quarantine lacks, because the stream has not read the line or because the file
was lost, is made again from the broker's time; and of a line that lies ahead even now.
"""

from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from batch.comparison import Comparison
from pipeline.order import FUTURE_MS

_UNJUDGED: Final = """
insert into unjudged
select h, p, off from messages m
where not exists (from verdicts v where v.tid = $topic_id and v.p = m.p and v.off = m.off)
"""
_EARLY: Final = """
insert into verdicts
select h, 'FUTURE', $topic_id, p, off, epoch_ms(ts)::timestamptz
from messages m join unjudged u using (h, p, off) where early
"""
_AHEAD: Final = """
insert into verdicts
select distinct h, 'FUTURE', null, null::integer, null::bigint, null::timestamptz
from rebuilt where epoch_ms(ordered_at) > $now_ms + $ahead
"""
_COUNTED: Final = """
insert into counted
select distinct h from messages m
where h in (select h from verdicts where reason = 'FUTURE')
  and not exists (from verdicts v where v.tid = $topic_id and v.p = m.p and v.off = m.off)
"""
# A line that was FUTURE at one time was so at any time before. So nothing is open about it where
# the topic still holds all that came after its verdict, or where it lies ahead even now.
_UNSURE: Final = """
with firsts as (select p, arg_min(ts, off) as ts from messages group by p),
     gone as (select max(coalesce(ts, 1::bigint << 62)) as until_ms
              from held left join firsts using (p) where first_held > 0)
select count(distinct h) from rebuilt
where i not in (select i from live)
  and h in (select h from verdicts where reason = 'FUTURE') and h not in (from counted)
  and h not in (select h from verdicts, gone where reason = 'FUTURE'
                and (tid is null
                     or (tid = $topic_id and epoch_ms(seen_at) >= coalesce(until_ms, 0))))
"""
# A line that came too early has its verdict, also where the same line has counted later.
_LEFT_UNJUDGED: Final = """
select count(*) from unjudged u join messages m using (h, p, off)
where (m.early and not exists (from live l where l.kafka_topic_id = $topic_id
                               and l.kafka_partition = u.p and l.kafka_offset = u.off))
   or (h not in (select h from expected)
       and h not in (select h from live
                     where n not in (select n from differences
                                     where n is not null and n not in (from kept))))
"""


def take_messages(
    comparison: Comparison,
    batches: Iterable[pa.Table],
    topic_id: str,
    held: dict[int, int],
    now_ms: int,
) -> None:
    """Take in the topic's lines (columns line, p, off, ts), all from `held` up to the cut; to be
    called once, after rebuilt rows and verdicts.
    """
    for batch in batches:
        comparison.insert(
            "insert into messages select md5_number(line), p, off, ts, coalesce("
            " try_cast(split_part(line::varchar, '|', 2) as bigint) > ts + $ahead, false)"
            " from batch", batch, ahead=FUTURE_MS)  # fmt: skip
    parts = pa.table({"p": pa.array(list(held), pa.int32()),
                      "first_held": pa.array(list(held.values()), pa.int64())})  # fmt: skip
    comparison.insert("create table held as from batch", parts)
    comparison.execute(_UNJUDGED, topic_id=topic_id)
    comparison.execute(_EARLY, topic_id=topic_id)
    comparison.execute(_AHEAD, now_ms=now_ms, ahead=FUTURE_MS)
    comparison.execute(_COUNTED, topic_id=topic_id)


def unsure(comparison: Comparison, topic_id: str) -> int:
    """Count the lines of raw that were FUTURE once, are not live, and of which neither the topic
    nor the clock tells whether they counted later.
    """
    ((number,),) = comparison.values(_UNSURE, topic_id=topic_id)
    return int(number)


def untraced(comparison: Comparison) -> int:
    """Count the missing rows that the topic holds no longer: what their verdict was only quarantine
    can tell. To be asked when all was judged.
    """
    ((number,),) = comparison.values(
        "select count(*) from differences join rebuilt using (place)"
        " where kind = 'missing' and h not in (select h from messages)"
    )
    return int(number)


def left_unjudged(comparison: Comparison, topic_id: str) -> int:
    """Count the topic's lines that are no row, no copy of one, and not in quarantine: also of the
    rows that a repair takes away or brings back. To be asked when all was judged.
    """
    ((number,),) = comparison.values(_LEFT_UNJUDGED, topic_id=topic_id)
    return int(number)
