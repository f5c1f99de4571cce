"""The rules: each is a query that returns the wrong lines, in the order of the data's path.

A query gives h and a note (offsets, files, or the line that is there instead). A line that one
hop has lost lacks in all after it as well: it is reported once, where it went missing first.
The columns of `seen` are the places of pipeline/verify/presence.py.
"""

from typing import Final, NamedTuple


class Rule(NamedTuple):
    """What is wrong: the hop's name, the kind of fault, the rest of the sentence, the query."""

    hop: str
    kind: str
    says: str
    query: str


LOG, TOPIC, RAW, HBASE = "log files", "topic", "HDFS raw", "HBase"
CLEAN, QUARANTINE = "transactions_cln", "quarantine"
FUTURE_MS: Final = 600_000
"""Up to here a line may be ahead of the broker's time: the programme's rule, once more, for verify
takes nothing from the stages that it judges."""

REASONS: Final = (
    "FIELDS", "ENCODING", "CUSTOMER", "TIME", "ORDER_ID", "LINE_NO", "EVENT", "STORE", "ITEM",
    "QUANTITY", "AMOUNT", "REF", "FUTURE", "CONFLICT",
)  # fmt: skip
"""What the programme can have against a line: once more, as above."""
# A topic's id is 22 letters; ID.2 and so on it is called once Kafka has lost lines of it.
_ORIGIN_IS_NONE: Final = """
    tid is null or p is null or off is null or off < 0
    or not regexp_full_match(tid, '[A-Za-z0-9+/_-]{22}([.]([2-9]|[1-9][0-9]+))?')
    or (split_part(tid, '.', 1) = split_part(getvariable('tid'), '.', 1)
        and p not in (select p from cut))
"""
# Another line of the event, t's, may have come before an offset, q's. One that the topic does not
# hold may have, so then it is no fault for sure; what came too early, FUTURE, never counted.
_CAME_BEFORE: Final = f"""
    exists (from texts o where o.i = t.i and o.h != t.h and o.h not in (select h from topic))
    or exists (from texts o join topic e on e.h = o.h
               where o.i = t.i and o.h != t.h and (e.p != q.p or e.off < q.off)
                 and not coalesce(try_cast(split_part(o.line::varchar, '|', 2) as bigint) - e.ts
                                  > {FUTURE_MS}, false))
"""  # noqa: S608
_ORIGIN: Final = "format('{}/{}/{} in {}', coalesce(tid, 'null'), p, off, file)"

RULES: Final = (
    Rule(TOPIC, "missing", "is in the log files, but went missing before the topic", """
         select h, null as note from seen
         where log and not in_topic and not (getvariable('gone') and raw)"""),
    Rule(TOPIC, "foreign", "is in the topic, but never was in the log files", """
         select h, null as note from seen
         where in_topic and not in_log and not topic_old"""),
    Rule(RAW, "missing", "is in the topic, but went missing before HDFS raw", """
         select h, null as note from seen
         where topic and not raw"""),
    Rule(RAW, "foreign", "is in HDFS raw, but never was in the log files or the topic", """
         select h, null as note from seen
         where raw and not in_topic and not in_log and (not getvariable('gone') or raw_new)"""),
    Rule(CLEAN, "missing",
         "is in the topic at {note}, but is no row of transactions_cln, none of quarantine, and "
         "no duplicate of a row", """
         select t.h, format('{}/{}', t.p, t.off) as note
         from topic t join cut k using (p)
         where t.off >= k.held and t.off < k.reached
           and not exists (from cln c
                           where c.tid = getvariable('tid') and c.p = t.p and c.off = t.off)
           and not exists (from quar q
                           where q.tid = getvariable('tid') and q.p = t.p and q.off = t.off)
           and not exists (from cln c where c.h = t.h)"""),
    Rule(CLEAN, "missing",
         "is older than what the topic holds, and is neither in transactions_cln nor in "
         "quarantine", """
         select h, null as note from seen
         where (log or raw) and not in_topic and not in_clean and not in_quarantine
           and getvariable('gone')"""),
    Rule(CLEAN, "foreign", "is in transactions_cln ({note}), but no hop before it ever had it", """
         select c.h, min(c.file) as note
         from cln c join seen s using (h) join texts t using (h)
         where not in_log and not in_topic and not raw
           and (getvariable('full_from') is null or t.day >= getvariable('full_from'))
         group by c.h"""),
    Rule(CLEAN, "double", "is the same event as another row of transactions_cln: {note}", """
         select min(c.h) as h,
                format('{} rows in {}', count(*), string_agg(distinct c.file, ', ')) as note
         from cln c join texts t using (h) group by t.i having count(*) > 1"""),
    Rule(CLEAN, "wrong", "stands in transactions_cln under an offset where the topic has {note}",
         """
         select c.h, format('{}/{}: {}', c.p, c.off,
                            coalesce('«' || x.line::varchar || '»', 'no line')) as note
         from cln c join cut k using (p)
         left join topic t using (p, off) left join texts x on x.h = t.h
         where c.tid = getvariable('tid') and c.off >= k.held and (t.h is null or t.h != c.h)"""),
    Rule(CLEAN, "wrong", "lies in a partition of another date: {note}", """
         select c.h, c.file as note from cln c join texts t using (h)
         where c.day is distinct from t.day"""),
    Rule(CLEAN, "wrong", "lies in a partition of other hours: {note}", """
         select h, file as note from cln
         where block is distinct from hour - hour % getvariable('hours')"""),
    Rule(CLEAN, "wrong", "has an ingested_at that is not when the topic got it: {note}", """
         select c.h, format('{}/{} in {}', p, off, c.file) as note
         from cln c join topic t using (p, off)
         where c.tid = getvariable('tid') and t.h = c.h and c.came is distinct from t.ts * 1000"""),
    Rule(CLEAN, "wrong", "is in transactions_cln, but came earlier than a clean line may: {note}",
         f"""
         select c.h, format('{{}}/{{}} was appended at {{}}', c.p, c.off, e.ts) as note
         from cln c join topic e on e.p = c.p and e.off = c.off and e.h = c.h
         join texts t on t.h = c.h
         where c.tid = getvariable('tid')
           and try_cast(split_part(t.line::varchar, '|', 2) as bigint) - e.ts
               > {FUTURE_MS}"""),  # noqa: S608 (a constant)
    Rule(CLEAN, "wrong", "has an odr_prc or odr_tms that does not follow from it, in {note}", """
         select h, file as note from cln where not derived"""),
    Rule(CLEAN, "wrong", "says that it came from where no line can come from: {note}", f"""
         select h, {_ORIGIN} as note from cln
         -- of what a repair took from HDFS raw, nothing is known
         where not (tid is null and p is null and off is null) and ({_ORIGIN_IS_NONE})"""),  # noqa: S608
    Rule(QUARANTINE, "wrong", "says that it came from where no line can come from: {note}", f"""
         select h, {_ORIGIN} as note from quar where {_ORIGIN_IS_NONE}"""),  # noqa: S608
    Rule(QUARANTINE, "wrong", "is quarantined for no reason that there is: {note}", f"""
         select h, coalesce(reason, 'null') as note from quar
         where reason is null or reason not in {REASONS}"""),  # noqa: S608
    Rule(QUARANTINE, "double", "is twice in quarantine under one offset: {note}", """
         select min(h) as h,
                format('{}/{} in {}', p, off, string_agg(distinct file, ', ')) as note
         from quar group by tid, p, off having count(*) > 1"""),
    Rule(QUARANTINE, "double", "is in quarantine and in transactions_cln under one offset, {note}",
         """
         select q.h, format('{}/{}', p, off) as note
         from quar q join cln c using (tid, p, off)"""),
    Rule(QUARANTINE, "wrong", "stands in quarantine under an offset where the topic has {note}", """
         select q.h, format('{}/{}: {}', q.p, q.off,
                            coalesce('«' || x.line::varchar || '»', 'no line')) as note
         from quar q join cut k using (p)
         left join topic t using (p, off) left join texts x on x.h = t.h
         where q.tid = getvariable('tid') and q.off >= k.held and (t.h is null or t.h != q.h)"""),
    Rule(QUARANTINE, "wrong", "lies in a partition of another date of arrival: {note}", """
         select h, file as note from quar where day is distinct from due"""),
    Rule(QUARANTINE, "wrong", "has a seen_at that is not when the topic got it: {note}", """
         select q.h, format('{}/{} in {}', p, off, q.file) as note
         from quar q join topic t using (p, off)
         where q.tid = getvariable('tid') and t.h = q.h and q.came is distinct from t.ts * 1000"""),
    Rule(QUARANTINE, "foreign", "is in quarantine ({note}), but no hop before it ever had it", """
         select q.h, min(q.file) as note
         from quar q join seen s using (h)
         where not in_log and not in_topic and not raw
           and (getvariable('full_from') is null or q.day >= getvariable('full_from'))
         group by q.h"""),
    Rule(QUARANTINE, "wrong", "is quarantined as CONFLICT ({note}), but transactions_cln has no "
         "row of its event", """
         select q.h, min(q.file) as note
         from quar q join texts t using (h)
         where q.reason = 'CONFLICT' and t.i not in (select i from cln join texts using (h))
           -- where the side that came first is lost, that is reported already
           and t.i not in (select i from seen join texts using (h)
                           where (in_log or in_topic or raw)
                             and not in_clean and not in_quarantine)
         group by q.h"""),
    Rule(QUARANTINE, "wrong", "is quarantined as CONFLICT ({note}), but transactions_cln has this "
         "very line, and no other line of its event came before", f"""
         select q.h, format('{{}}/{{}}', q.p, q.off) as note
         from quar q join cut k using (p) join texts t using (h)
         where q.reason = 'CONFLICT' and q.tid = getvariable('tid') and q.off >= k.held
           and q.h in (select h from cln)
           and not ({_CAME_BEFORE})"""),  # noqa: S608
    Rule(QUARANTINE, "wrong", "is quarantined as CONFLICT ({note}), but came before the row of its "
         "event, and no other line of that did", f"""
         select q.h, min(format('{{}}/{{}}, the row has {{}}/{{}}', q.p, q.off, c.p, c.off)) as note
         from quar q join cut k using (p) join texts t using (h)
         join texts r on r.i = t.i and r.h != t.h join cln c on c.h = r.h
         where q.reason = 'CONFLICT' and q.tid = getvariable('tid') and q.off >= k.held
           and c.tid = q.tid and c.p = q.p and c.off > q.off
           -- a row that was lost and is there again may have a later copy's offset
           and not ({_CAME_BEFORE})
         group by q.h"""),  # noqa: S608
    Rule(QUARANTINE, "wrong", "is quarantined as FUTURE, but came no earlier than allowed: {note}",
         f"""
         select q.h, format('{{}}/{{}} was appended at {{}}', q.p, q.off, e.ts) as note
         from quar q join topic e on e.p = q.p and e.off = q.off and e.h = q.h
         join texts t on t.h = q.h
         where q.reason = 'FUTURE' and q.tid = getvariable('tid')
           and coalesce(try_cast(split_part(t.line::varchar, '|', 2) as bigint) - e.ts
                        <= {FUTURE_MS}, true)"""),  # noqa: S608 (a constant)
    Rule(HBASE, "missing", "is clean or FUTURE, but HBase has no row of its event", """
         select h, null as note from seen join texts t using (h)
         where (clean or future) and t.i not in (select i from hbase join texts using (h))"""),
    Rule(HBASE, "foreign", "is in HBase, but is neither clean nor FUTURE nor a side of a "
         "conflict; of its event transactions_cln has {note}", """
         select h, coalesce('«' || (select min(o.line::varchar)
                                    from cln c join texts o using (h) where o.i = t.i) || '»',
                            'nothing') as note
         from seen join texts t using (h)
         where hbase and not in_clean and not in_future and not conflict
           and not (in_topic and not topic)
           and not ((in_log or in_topic or raw) and not in_clean and not in_quarantine)"""),
)  # fmt: skip
