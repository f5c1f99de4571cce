"""The answer key compared with what the stores have: each planted fault is found again.

A row of the key tells what has to be:

    fault empty, duplicate…, late…   its line is in transactions_cln, and nothing else of its event
    malformed:REASON                 its line is in quarantine for this reason, and for no other
    conflict                         the same for CONFLICT, and another line of its event is in
                                     transactions_cln

A line has to have been written as often as the key has rows of it, and each time to have reached
the topic. Lines beyond the cut are left out, and so are lines that no key tells of: the rules
(pipeline/verify/rules.py) hold for all lines, also for these.
"""

from typing import Final

from pipeline.verify.report import Difference, KeyCounts
from pipeline.verify.rules import CLEAN, LOG, QUARANTINE, TOPIC
from pipeline.verify.scratch import Scratch

_JUDGED: Final = """
create or replace temp table judged as
with wanted as (
    select h, reason, any_value(i) as i, any_value(identity) as identity, count(*) as n,
           count(*) filter (fault != '') as planted
    from key group by h, reason
), line_log as (
    select h, count(*) as n, count(*) filter (not tail) as before from log
    where h in (select h from key) group by h
), line_topic as (
    select h, count(*) as n, count(*) filter (off < reached) as before
    from topic join cut using (p) where h in (select h from key) group by h
), line_cln as (
    select distinct h from cln where h in (select h from key)
), event_cln as (
    select i, count(*) as n, min('«' || line::varchar || '»') as line
    from cln join texts using (h) where i in (select i from key) group by i
), line_quar as (
    select h, count(*) as n, count(distinct reason) as reasons, min(reason) as reason
    from quar where h in (select h from key) group by h
)
select w.*, s.h is not null as seen,
       coalesce((s.in_topic and not s.topic) or (s.in_log and not s.log and not s.in_topic),
                false) as beyond,
       coalesce(l.n, 0) as log_lines, coalesce(l.before, 0) as log_before,
       coalesce(t.n, 0) as topic_lines, coalesce(t.before, 0) as topic_before,
       c.h is not null as is_row,
       coalesce(e.n, 0) as event_rows, e.line as event_line,
       coalesce(q.n, 0) as quar_lines, q.reasons as quar_reasons, q.reason as quar_reason
from wanted w left join seen s using (h) left join line_log l using (h)
     left join line_topic t using (h) left join line_cln c using (h)
     left join event_cln e using (i) left join line_quar q using (h)
"""
# The first that applies, in this order.
_VERDICTS: Final = f"""
create or replace temp table verdicts as
select h, identity, n, planted, case
    when not seen then ['lost', '{LOG}', 'no hop ever had it']
    when not getvariable('gone') and topic_lines < n and log_lines < n
        then ['lost', '{LOG}',
              format('it was written {{}} times, and the log files have it {{}} times',
                     n, log_lines)]
    when not getvariable('gone') and topic_lines < n and log_before >= n
        then ['lost', '{TOPIC}',
              format('it was written {{}} times, and the topic has it {{}} times',
                     n, topic_lines)]
    when reason is null and event_rows = 0 and quar_lines = 0
        then ['lost', '{CLEAN}', 'transactions_cln has no row of its event']
    when reason is null and event_rows > 1
        then ['duplicated', '{CLEAN}',
              format('transactions_cln has {{}} rows of its event', event_rows)]
    when reason is null and not is_row and event_rows = 1
        then ['wrong', '{CLEAN}', 'transactions_cln has ' || event_line]
    when reason is null and quar_lines > 0
        then ['wrong', '{QUARANTINE}', 'it is quarantined for ' || quar_reason]
    when reason is not null and is_row
        then ['wrong', '{CLEAN}', 'it is a row, and should be quarantined for ' || reason]
    when reason is not null and quar_lines < if(getvariable('gone'), n, least(n, topic_before))
        then ['lost', '{QUARANTINE}',
              format('it is {{}} times in quarantine, and should be {{}} times for {{}}',
                     quar_lines, n, reason)]
    when reason is not null and (quar_reasons > 1 or quar_reason != reason)
        then ['wrong', '{QUARANTINE}',
              format('it is quarantined for {{}}, and should be for {{}}', quar_reason, reason)]
    when reason = 'CONFLICT' and event_rows = 0
        then ['lost', '{CLEAN}', 'transactions_cln has no first line of its event']
    end as verdict
from judged where not beyond
"""  # noqa: S608 (names of hops)
_COUNTS: Final = """
select coalesce(sum(n), 0)::bigint, count(*) filter (verdict[1] = 'lost'),
       count(*) filter (verdict[1] = 'duplicated'), count(*) filter (verdict[1] = 'wrong'),
       coalesce(sum(planted), 0)::bigint,
       coalesce(sum(planted) filter (verdict is null), 0)::bigint
from verdicts
"""
_KINDS: Final = {"lost": "missing", "duplicated": "double", "wrong": "wrong"}
"""As the rules call them."""


def judge_key(scratch: Scratch, most: int) -> tuple[KeyCounts, list[Difference], int]:
    """Compare the key with the stores: counts, at most so many differences, how many in all."""
    scratch.rows(_JUDGED)
    scratch.rows(_VERDICTS)
    counts = KeyCounts(*scratch.rows(_COUNTS)[0])
    listed = [
        Difference(verdict[1], _KINDS[verdict[0]], line, f"is in the answer key, but {verdict[2]}")
        for verdict, line in scratch.rows(
            "select verdict, coalesce(line, identity::blob) from verdicts left join texts using (h)"
            " where verdict is not null order by verdict, identity limit $most",
            most=most,
        )
    ]
    return counts, listed, counts.lost + counts.duplicated + counts.wrong
