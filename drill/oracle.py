"""An oracle that shares no code with the pipeline: the order log and the till's key, counted here.

`verify` compares every store with every other one; this says beforehand what Hive has to show.
It looks at the till's own orders only (their ids begin with the runs of the key), so that others
may write into the same log.
"""

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from drill.verdict import Count

NO_ROW: Final = (b"malformed", b"conflict")
"""Faults whose lines are not to be in transactions_cln."""
_ORDER: Final = re.compile(rb"(run-[0-9a-f]{16})-[0-9]+")
"""An order id of a till with a key: its run, and a number. Nothing else gets into a statement."""
_RUN_LENGTH: Final = len("run-") + 16
_LINE: Final = (
    "concat_ws('|', coalesce(cast(cust_id as string), ''), cast(ordered_at as string), order_id,"
    " cast(line_no as string), event, cast(store_id as string), odr_menu, cast(quantity as string),"
    " cast(cast(amount * 100 as bigint) as string), coalesce(ref, ''))"
)
_IDENTITY: Final = (
    "concat_ws('|', coalesce(cast(cust_id as string), ''), cast(ordered_at as string), order_id,"
    " cast(line_no as string), event)"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Hive shows, or has to show: rows, distinct identities, net sales in cents, and the sum
    of the CRC-32 of each row's ten fields."""

    rows: int = 0
    identities: int = 0
    cents: int = 0
    content: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """What the log files and the key want.

    gone: rows of the key without a line in the log files. untold: lines that the key lacks (a till
    that was ended between a line and its row leaves one); their orders (`unknown`) are left open.
    """

    answer: Answer
    gone: int = 0
    untold: int = 0
    runs: frozenset[str] = field(default=frozenset())
    unknown: frozenset[str] = field(default=frozenset())


def expect(order_log: Path, key: Path) -> Expected:
    """Read the log files and the key; an identity counts once, with the first line's amount."""
    told, rowless, runs = _read_key(key)
    untold, unknown = 0, set()
    for order, digest, _ in _lines(order_log):
        if digest in told:
            told[digest] -= 1
            untold += told[digest] == -1
        elif _run(order) in runs:
            untold += 1
            unknown.add(order)
    seen: set[int] = set()
    cents = content = 0
    for order, digest, line in _lines(order_log):
        if _run(order) not in runs or order in unknown or digest in rowless:
            continue
        fields = line.split(b"|")
        identity = _short(b"|".join(fields[:5]))
        if identity not in seen:
            seen.add(identity)
            amount = int(fields[8].replace(b".", b""))
            cents += {b"SALE": amount, b"REFUND": -amount}.get(fields[4], 0)
            content += _checksum(fields, amount)
    return Expected(
        Answer(len(seen), len(seen), cents, content),
        sum(count for count in told.values() if count > 0), untold,
        frozenset(run.decode() for run in runs), frozenset(order.decode() for order in unknown),
    )  # fmt: skip


def statements(expected: Expected) -> tuple[str, str]:
    """Give the queries whose one row each (n, s, c; and d: see Answer) says whether Hive agrees.

    (In one query Hive holds all identities in memory: of a million that takes minutes.)
    """
    runs = ", ".join(f"'{run}'" for run in sorted(expected.runs))
    where = f"substr(order_id, 1, {_RUN_LENGTH}) in ({runs})"
    if expected.unknown:
        without = ", ".join(f"'{order}'" for order in sorted(expected.unknown))
        where += f" and order_id not in ({without})"
    rows = f"from transactions_cln where {where}"
    return (
        f"select count(*) n, sum(odr_prc) s, sum(crc32({_LINE})) c {rows}",
        f"select count(*) d from (select distinct {_IDENTITY} {rows}) identities",  # noqa: S608
    )


def compare(expected: Expected, found: Answer, ends: int) -> Count:
    """Judge what Hive has answered; `ends` is how often the till ended, each time perhaps untold.

    A row too few is lost, one too many with a known identity is duplicated; a foreign one, and
    another amount or field, is wrong.
    """
    wanted = expected.answer
    differences = []
    if found != wanted:
        differences.append(f"Hive has {_said(found)}; the log files want {_said(wanted)}.")
    if expected.gone:
        differences.append(f"{expected.gone:,} lines of the key are not in the log files.")
    if expected.untold > ends:
        differences.append(
            f"The log files have {expected.untold:,} lines that the key lacks, and the till has"
            f" ended {ends:,} times only."
        )
    same = found.rows == found.identities == wanted.rows
    return Count(
        lost=max(0, wanted.rows - found.identities) + expected.gone,
        duplicated=max(0, found.rows - found.identities),
        wrong=max(0, found.identities - wanted.rows, int(same and found != wanted)),
        differences=differences,
    )


def _said(answer: Answer) -> str:
    return (
        f"{answer.rows:,} rows, {answer.identities:,} identities, net sales of"
        f" {answer.cents / 100:,.2f} and the checksum {answer.content:x}"
    )


def _read_key(key: Path) -> tuple[Counter[int], set[int], set[bytes]]:
    """Give how often each line was written, lines that are to be in no row, and the till's runs.

    Whether a line that was written several times has a row is for its first time to say.
    """
    told: Counter[int] = Counter()
    rowless: set[int] = set()
    runs: set[bytes] = set()
    for identity, digest, fault in read_key(key):
        number = int(digest[:16], 16)
        if number not in told and fault in NO_ROW:
            rowless.add(number)
        told[number] += 1
        runs.add(_run(_order(identity.split(b"|"))))
    return told, rowless, runs - {b""}


def read_key(key: Path) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Give (identity, MD5 of the line as hexadecimal digits, kind of fault) of each whole row."""
    with key.open("rb") as rows:
        next(rows)
        for row in rows:
            if not row.endswith(b"\n"):
                break
            identity, digest, _, fault = row[:-1].split(b"\t")
            yield identity, digest, fault.partition(b":")[0]


def _lines(order_log: Path) -> Iterator[tuple[bytes, int, bytes]]:
    """Give each whole line with its order id (empty where it is none of ours) and its digest."""
    for file in sorted(order_log.glob("*.log")):
        with file.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield _order(line.split(b"|", 3)), _short(line[:-1]), line[:-1]


def _order(fields: list[bytes]) -> bytes:
    return fields[2] if len(fields) > 2 and _ORDER.fullmatch(fields[2]) else b""


def _run(order: bytes) -> bytes:
    return order[:_RUN_LENGTH]


def _short(text: bytes) -> int:
    """Give the first half of an MD5: 64 bits tell some million lines apart."""
    return int.from_bytes(hashlib.md5(text, usedforsecurity=False).digest()[:8])


def _checksum(fields: list[bytes], cents: int) -> int:
    """Give the CRC-32 of a line as `_LINE` writes it: instants as Hive's text, amounts in cents."""
    seconds, milliseconds = divmod(int(fields[1]), 1000)
    instant = f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d %H:%M:%S}"
    if milliseconds:
        instant += f".{milliseconds:03}".rstrip("0")
    parts = [fields[0], instant.encode(), *fields[2:8], str(cents).encode(), fields[9]]
    return zlib.crc32(b"|".join(parts))
