"""The answer key of a producer's run, taken in. Its format is told in docs/answer-key.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa

from pipeline.errors import Refused
from pipeline.verify.order_log import complete_end
from pipeline.verify.scratch import Scratch

_HEADER: Final = b"identity\thash\tamount\tfault\n"
_REASONS: Final = (
    rb"FIELDS|ENCODING|CUSTOMER|TIME|ORDER_ID|LINE_NO|EVENT|STORE|ITEM|QUANTITY|AMOUNT|REF|FUTURE"
)
_ROW: Final = re.compile(
    rb"((?:[ -\[\]-~]|\\x[0-9A-F]{2})*)\t([0-9a-f]{32})\t([0-9]{1,7}\.[0-9]{2}|)"
    rb"\t(|duplicate(?:-hour|-day)?|late-(?:minutes|days|weeks)|conflict|malformed:(?:%s))\n"
    % _REASONS
)
_BATCH: Final = 50_000

_TABLE: Final = """
create table key (h uhugeint, i uhugeint, identity varchar, amount decimal(18, 4), day date,
                  fault varchar, reason varchar)
"""
# md5_number takes the digest's bytes from the last to the first. An identity cast to a blob and
# back is written as Scratch's texts are.
_INSERT: Final = r"""
insert into key
select ('0x' || hash)::uhugeint, md5_number(identity::blob::varchar), identity,
       try_cast(amount as decimal(18, 4)),
       case when regexp_full_match(f2, '[0-9]{13}')
            then timezone($zone, make_timestamptz(f2::bigint * 1000))::date end,
       fault,
       case when fault = 'conflict' then 'CONFLICT'
            when starts_with(fault, 'malformed:') then split_part(fault, ':', 2) end
from (select *, split_part(identity, '|', 2) as f2 from batch)
"""


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key and the end of its last complete row, in bytes, when it was looked at."""

    path: Path
    end: int


def open_key(path: Path) -> KeyFile:
    """Look at a key before the cut is made, so that all lines it tells of are in the log files.

    Raises Refused where there is none.
    """
    try:
        key = KeyFile(path, complete_end(path))
        with path.open("rb") as file:
            head = file.readline(len(_HEADER))
    except OSError as error:
        raise Refused(
            f"The answer key {path} cannot be read ({error.strerror}); `./loyalty produce"
            " --answer-key FILE` writes one."
        ) from error
    if head != _HEADER:
        raise Refused(f"{path} is no answer key; `./loyalty produce --answer-key FILE` writes one.")
    return key


def load_key(scratch: Scratch, key: KeyFile) -> None:
    """Take a key's rows in; raises Refused for one that is none."""
    scratch.rows(_TABLE)
    for batch in read_key(key):
        scratch.insert(_INSERT, batch)


def read_key(key: KeyFile) -> Iterator[pa.Table]:
    """Give a key's rows: identity, hash (hexadecimal, its last byte first), amount, fault."""
    rows: list[tuple[str, ...]] = []
    with key.path.open("rb") as file:
        start = len(file.readline())
        for number, text in enumerate(file, start=2):
            start += len(text)
            if start > key.end:
                break
            if not (match := _ROW.fullmatch(text)):
                raise Refused(
                    f"Row {number:,} of {key.path} is no row of an answer key: it is damaged there."
                    " Compare with an undamaged copy, or without --answer-key."
                )
            identity, digest, amount, fault = match.groups()
            swapped = bytes.fromhex(digest.decode())[::-1].hex()
            rows.append((identity.decode(), swapped, amount.decode(), fault.decode()))
            if len(rows) == _BATCH:
                yield _table(rows)
                rows = []
    if rows:
        yield _table(rows)


def _table(rows: list[tuple[str, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    names = ("identity", "hash", "amount", "fault")
    return pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)})


def key_days(scratch: Scratch) -> frozenset[date]:
    """Give the business dates of the key's lines."""
    return frozenset(
        day for (day,) in scratch.rows("select distinct day from key where day is not null")
    )
