"""What Hive shows of the clean tables, as hashes of every row: the same before and after?"""

from dataclasses import dataclass
from typing import Final

from drill.stack import OwnStack

_FIELDS: Final = (
    "coalesce(cast(cust_id as string), ''), cast(ordered_at as string), order_id,"
    " cast(line_no as string), event, cast(store_id as string), odr_menu,"
    " cast(quantity as string), cast(amount as string), coalesce(ref, '')"
)
_PLACE: Final = (
    "odr_tms, cast(odr_prc as string), cast(ingested_at as string), kafka_topic_id,"
    " cast(kafka_partition as string), cast(kafka_offset as string), cast(odr_dt as string),"
    " cast(odr_hr as string)"
)
_HALF: Final = (
    "cast(sum(cast(conv(substr({md5}, {begin}, 15), 16, 10) as decimal(38,0))) as string)"
)
"""The sum of one half of each row's MD5."""
_ROWS: Final = (
    "select cast(odr_dt as string) d, count(*) n, concat_ws(' ', {fields}) f,"
    " concat_ws(' ', {place}) p from transactions_cln group by odr_dt"
)
_QUARANTINE: Final = "select distinct reason, md5(raw) h from quarantine"


@dataclass(frozen=True, slots=True)
class State:
    """rows: by date their number, the hash of their ten fields, and that of all else they have.

    quarantined: reason and MD5 of each different line.
    """

    rows: dict[str, tuple[int, str, str]]
    quarantined: frozenset[tuple[str, str]]


def read_state(stack: OwnStack) -> State:
    """Ask Hive."""
    found = stack.sql(_ROWS.format(fields=_hash(_FIELDS), place=_hash(f"{_FIELDS}, {_PLACE}")))
    bad = stack.sql(_QUARANTINE)
    return State(
        {row["d"]: (row["n"], row["f"], row["p"]) for row in found},
        frozenset((row["reason"], row["h"]) for row in bad),
    )


def differences(before: State, after: State) -> list[str]:
    """Say what has changed: a date's rows, their fields, their offsets; what is quarantined."""
    says = []
    for day in sorted(before.rows.keys() | after.rows.keys()):
        old, new = before.rows.get(day, (0, "", "")), after.rows.get(day, (0, "", ""))
        if old[:2] != new[:2]:
            says.append(f"transactions_cln of {day} had {old[0]:,} rows and has {new[0]:,} others.")
        elif old != new:
            says.append(f"transactions_cln of {day} has the same lines with other offsets.")
    if gone := before.quarantined - after.quarantined:
        says.append(f"{len(gone):,} lines are no longer in quarantine, such as {min(gone)}.")
    if come := after.quarantined - before.quarantined:
        says.append(f"{len(come):,} lines are new in quarantine, such as {min(come)}.")
    return says


def _hash(columns: str) -> str:
    md5 = f"md5(concat_ws('|', {columns}))"
    return ", ".join(_HALF.format(md5=md5, begin=begin) for begin in (1, 16))
