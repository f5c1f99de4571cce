"""Where each distinct line was seen: the view `seen`, one row a line, a boolean a place.

Facts that the rules (pipeline/verify/rules.py) need beside the lines are variables of the
database, read by `getvariable`:

    tid         the topic's id
    gone        the topic lacks lines of its past: some have expired, or it was made anew
    full_from   the first business date all of whose lines are in the raw folders that were read,
                null where all folders were read
    hours       of a partition's block of hours
"""

from datetime import date, datetime, timedelta
from typing import Final

import pyarrow as pa

from pipeline.verify.cut import Cut
from pipeline.verify.scratch import Scratch

PLACES: Final = (
    "log", "in_log",
    "topic", "in_topic", "topic_old",
    "raw", "raw_new",
    "hbase",
    "clean", "in_clean",
    "quarantine", "in_quarantine", "future", "in_future", "conflict",
)  # fmt: skip
"""The columns of `seen` beside h. log, topic, clean, quarantine, future: before the cut; in_…:
anywhere, also beyond it. topic_old: appended so long ago that its log file may have been deleted
since; raw_new: arrived so late that it cannot. future, conflict: quarantined for that reason."""

MARGIN: Final = timedelta(hours=1)
"""Flume's delay between a line's writing and its append, when a file is deleted at once."""

_MASKS: Final = """
create or replace table masks as
select h, bit_or(m)::integer as m from (
    select h, {in_log} | if(tail, 0, {log}) as m from log
    union all
    select h, {in_topic} | if(off < reached, {topic}, 0) | if(ts < $horizon_ms, {topic_old}, 0)
    from topic join cut using (p)
    union all
    select h, {raw} | if(arrival > $fresh_after, {raw_new}, 0) from raw
    union all
    select h, {hbase} from hbase
    union all
    select h, {in_clean} | if(in_cut, {clean}, 0) from rows_cln
    union all
    select h, {in_quarantine} | if(in_cut, {quarantine}, 0)
              | case reason when 'FUTURE' then {in_future} | if(in_cut, {future}, 0)
                            when 'CONFLICT' then {conflict} else 0 end
    from rows_quar
) group by h
"""
_BITS: Final = {place: 1 << number for number, place in enumerate(PLACES)}
_SEEN: Final = "create or replace view seen as from masks select h" + "".join(
    f", (m & {bit}) != 0 as {place}" for place, bit in _BITS.items()
)
_ROWS: Final = """
create or replace view rows_{table} as
select t.*,
       coalesce(t.tid is distinct from getvariable('tid') or t.off < c.reached, false) as in_cut
from {table} t left join cut c using (p)
"""
_LINES: Final = """
create or replace view lines as
select t.h, t.line, t.day, t.amount, t.i, s.in_clean,
       (in_topic and not topic) or (in_log and not log and not in_topic) as beyond
from seen s join texts t using (h)
where {condition}
"""


def declare(scratch: Scratch, cut: Cut, partition_hours: int) -> None:
    """Tell the database the cut and the hours of a partition."""
    partitions = sorted(cut.ends)
    scratch.put("cut", pa.table({
        "p": pa.array(partitions, pa.int32()),
        "held": pa.array([cut.held[p] for p in partitions], pa.int64()),
        "reached": pa.array([cut.reached[p] for p in partitions], pa.int64()),
    }))  # fmt: skip
    scratch.rows("set variable tid = $tid", tid=cut.topic_id)
    scratch.rows("set variable hours = $hours", hours=partition_hours)


def find_out(
    scratch: Scratch, horizon: datetime, *, gone: bool, full_from: date | None, condition: str
) -> None:
    """Make `seen` and the view `lines`, which shows the lines that are judged (a condition on
    day, in_log and in_topic).

    horizon: log files whose last line is older may have been deleted.
    """
    scratch.rows(f"set variable gone = {gone}")
    scratch.rows(f"set variable full_from = {_literal(full_from)}")
    for table in ("cln", "quar"):
        scratch.rows(_ROWS.format(table=table))
    limit = horizon + MARGIN
    scratch.rows(
        _MASKS.format(**_BITS),
        horizon_ms=int(limit.timestamp() * 1000),
        fresh_after=limit.date() + timedelta(days=1),
    )
    scratch.rows(_SEEN)
    scratch.rows(_LINES.format(condition=condition))


def _literal(day: date | None) -> str:
    return f"date '{day.isoformat()}'" if day else "null::date"
