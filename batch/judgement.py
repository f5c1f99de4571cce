"""Which row is right, and which live row is not: statements over the tables of batch.comparison.

`expected` has one row an event, by the verdicts of quarantine where raw alone cannot tell.
`differences`: kind (missing, foreign, other), place (what is right; null: nothing), n (what is
there; null: nothing). Live rows beyond the cut are never wrong, and lines that the topic has only
beyond it are never missing.
"""

from typing import Final

from batch.master import KEPT

_SAME: Final = " and ".join(f"r.{name} is not distinct from l.{name}" for name in KEPT)

# Of several contents of one event, that counts which quarantine has no CONFLICT verdict on; then
# the one that is live; then the one whose last verdict is the oldest (the others contradicted it
# later); then one that never was FUTURE; then the one that the topic got first, or holds no longer;
# then the one that raw has first. One that contradicted another content, which is live, counts
# never, also where raw has lost that. A line once FUTURE counts where its event is live, where the
# topic has it at an offset without a verdict (there it counted, whatever came of its row), or where
# another line contradicted its event.
_EXPECTED: Final = """
create table expected as
with lines as (select h, any_value(i) as i, min(place) as place from rebuilt group by h),
     conflicts as (select h, max(seen_at) as contradicted_at
                   from verdicts where reason = 'CONFLICT' group by h),
     future as (select distinct h from verdicts where reason = 'FUTURE'),
     known as (select distinct h from live),
     first as (select distinct i from live
               where kafka_topic_id is not null and h not in (select h from conflicts)),
     arrived as (select h, min(ts) as ts, arg_min(off, ts) as off from unjudged
                 join messages using (h, p, off) where not early group by h),
     contradicted as (select i from lines join conflicts using (h)
                      where h not in (from future))
select h, i, place from (
    select h, lines.i, place,
           contradicted_at is not null and known.h is null and lines.i in (from first) as is_second,
           row_number() over (partition by lines.i order by
               contradicted_at is not null, known.h is null, contradicted_at,
               h in (from future) and h not in (from counted),
               arrived.ts nulls first, arrived.off, place) as rank
    from lines left join conflicts using (h) left join known using (h) left join arrived using (h)
    where h not in (from future) or lines.i in (select i from live)
       or h in (from counted) or lines.i in (from contradicted)
) where rank = 1 and not is_second
"""
_MATCHED: Final = """
create table matched as
select n, place, same, in_cut,
       row_number() over (partition by i order by same desc, in_cut desc, off, n) as rank
from (
    select l.n, l.i, e.place, l.in_cut, l.kafka_offset as off,
           e.place is not null and {same} as same
    from live l left join expected e using (i) left join rebuilt r on r.place = e.place
)
""".replace("{same}", _SAME)
_DIFFERENCES: Final = """
create table differences as
select 'missing' as kind, place, null::bigint as n
from expected e
where e.i not in (select i from live)
  and (e.h not in (select h from beyond) or e.h in (select h from messages where not early))
union all
select case when place is null or rank > 1 then 'foreign' else 'other' end,
       case when rank = 1 then place end, n
from matched where in_cut and (place is null or rank > 1 or not same)
"""
_PLACED: Final = """
create view placed as
select d.*, r.odr_dt as right_dt, r.odr_hr as right_hr, l.odr_dt as live_dt, l.odr_hr as live_hr
from differences d left join rebuilt r using (place) left join live l using (n)
"""

STATEMENTS: Final = (_EXPECTED, _MATCHED, _DIFFERENCES, _PLACED)
"""To be run once, in this order."""
