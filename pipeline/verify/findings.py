"""Asks the scratch database: totals, counts, and what breaks a rule."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from pipeline.verify.cut import StreamRecord
from pipeline.verify.report import Counts, Difference, Totals
from pipeline.verify.rules import CLEAN, FUTURE_MS, HBASE, LOG, QUARANTINE, RAW, RULES, TOPIC
from pipeline.verify.scratch import Scratch

_HOP_LINES: Final = {
    # written after the files were measured, and in the topic before its ends were: before the cut
    LOG: "select h from log join seen using (h) where not tail or (topic and not log)",
    TOPIC: "select h from topic join cut using (p) where off < reached",
    RAW: "select h from raw",
    HBASE: "select h from hbase",
    CLEAN: "select h from rows_cln where in_cut",
    QUARANTINE: "select h from rows_quar where in_cut",
}
_TOTALS: Final = """
select day, sum(n)::bigint, count(*), coalesce(sum(amount), 0), bit_xor(h)
from (select h, count(*) as n from ({lines}) group by h) join lines using (h)
where not beyond
group by day order by day nulls last
"""
_COUNTS: Final = """
with account as (
    select exists (from cln c where c.tid = getvariable('tid') and c.p = t.p and c.off = t.off)
             as is_row,
           exists (from quar q where q.tid = getvariable('tid') and q.p = t.p and q.off = t.off)
             as is_quarantined,
           l.in_clean as is_known
    from topic t join cut k using (p) join lines l using (h)
    where t.off < k.reached
)
select count(*), count(*) filter (is_row),
       count(*) filter (is_known and not is_row and not is_quarantined),
       count(*) filter (is_quarantined)
from account
"""
_RECORDED: Final = """
select (select count(*) from cln c join span s using (p)
        where c.tid = getvariable('tid') and c.off >= s.since and c.off < s.next),
       (select count(*) from quar q join span s using (p)
        where q.tid = getvariable('tid') and q.off >= s.since and q.off < s.next)
"""
# A line that was FUTURE at one time was so at any time before. So nothing is open about it where
# the topic still holds all that came after its verdict, or where it lies ahead even now.
_UNSURE: Final = """
with firsts as (select p, arg_min(ts, off) as ts from topic group by p),
     gone as (select max(coalesce(ts, 1::bigint << 62)) as until_ms
              from cut left join firsts using (p) where held > 0)
select count(*) from seen join lines l using (h)
where (log or raw) and in_future and not seen.in_clean
  and not coalesce(try_cast(split_part(l.line::varchar, '|', 2) as bigint) > $ahead_ms, false)
  and h not in (select h from quar, gone
                where reason = 'FUTURE' and tid = getvariable('tid')
                  and came // 1000 >= coalesce(until_ms, 0))
"""


def totals(scratch: Scratch) -> list[Totals]:
    """Give every hop's totals by date, in the order of the data's path."""
    return [
        Totals(hop, day, lines, distinct, Decimal(amount), hashed)
        for hop, query in _HOP_LINES.items()
        for day, lines, distinct, amount, hashed in scratch.rows(_TOTALS.format(lines=query))
    ]


def counts(scratch: Scratch) -> Counts:
    """Give what became of the topic's offsets."""
    return Counts(*scratch.rows(_COUNTS)[0])


def differences(scratch: Scratch, most: int) -> tuple[list[Difference], int]:
    """Give at most so many differing lines of each rule, and how many there are in all."""
    listed, found = [], 0
    for rule in RULES:
        scratch.rows(f"create or replace temp table broken as {rule.query}")
        number = scratch.value("select count(*) from broken join lines using (h)")
        found += number
        if number:
            listed += [
                Difference(rule.hop, rule.kind, line, rule.says.replace("{note}", note or ""))
                for line, note in scratch.rows(
                    "select line, note from broken join lines using (h)"
                    " order by day nulls last, line limit $most",
                    most=most,
                )
            ]
    return listed, found


def unsure(scratch: Scratch, now: datetime) -> int:
    """Count the lines that were FUTURE once, are no rows, and of which neither the topic nor the
    clock tells whether they counted later.
    """
    ahead_ms = round(now.timestamp() * 1000) + FUTURE_MS
    return int(scratch.value(_UNSURE, ahead_ms=ahead_ms))


def gaps(scratch: Scratch) -> list[Difference]:
    """Give the partitions of which not every offset before the cut could be read."""
    return [
        Difference(TOPIC, "count", None, f"partition {p} gave {n:,} lines for {wanted:,} offsets")
        for p, n, wanted in scratch.rows(
            "select k.p, count(t.off), any_value(k.reached - k.held) from cut k left join topic t"
            " on t.p = k.p and t.off >= k.held and t.off < k.reached"
            " group by k.p having count(t.off) != any_value(k.reached - k.held)"
        )
    ]


def recorded(scratch: Scratch, record: StreamRecord, *, of_epoch: bool) -> list[Difference]:
    """Compare the stream's own counts with the tables: of its whole epoch, or its newest batch.

    The tables must be loaded for all offsets of it.
    """
    ranges, said = record.epoch if of_epoch else record.batch
    if not ranges:
        return []
    rows = ", ".join(f"({p}, {since}, {after})" for p, (since, after) in ranges.items())
    scratch.rows(f"create or replace temp table span as from (values {rows}) v(p, since, next)")
    clean, quarantined = scratch.rows(_RECORDED)[0]
    lines = sum(after - since for since, after in ranges.values())
    held = {
        "lines": lines,
        "clean": clean,
        "duplicates": lines - clean - quarantined,
        "quarantined": quarantined,
    }
    span = "since its epoch began" if of_epoch else "in that batch"
    return [
        Difference(CLEAN, "count", None,
                   f"batch record {record.name} has counted {said[name]:,} {name} {span}, but "
                   f"topic and tables have {number:,}")
        for name, number in held.items()
        if said[name] != number
    ]  # fmt: skip
