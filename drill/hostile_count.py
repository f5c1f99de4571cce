"""What must be in Hive after hostile lines, and what is: rows by reason and content."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Self

from drill.judge import judge
from drill.stack import OwnStack
from drill.verdict import Count
from drill.waiting import settle

SHOWN: Final = 5
_CLEAN: Final = (
    "select count(*) n, coalesce(sum(odr_prc), 0) s,"
    " count(distinct if(order_id like '{good}%', order_id, null)) g from transactions_cln"
)
_QUARANTINE: Final = (
    "select reason, md5(raw) h, count(*) n from quarantine group by reason, md5(raw)"
)


@dataclass
class Expected:
    """Collects lines of the topic. good: how the ids of the orders after bad lines begin."""

    good: str
    now_ms: int
    bad: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Reason and MD5 of the line -> how often."""
    lines: int = 0
    _orders: set[bytes] = field(default_factory=set)
    _cents: dict[bytes, int] = field(default_factory=dict)
    """By the MD5 of an identity."""
    _texts: dict[str, bytes] = field(default_factory=dict)

    def take(self, line: bytes, reason: str | None) -> None:
        """Take one line; reason: what the table says (empty: a good one), None where none does."""
        self.lines += 1
        reason = judge(line, self.now_ms) if reason is None else reason
        if reason:
            digest = _md5(line)
            self.bad[reason, digest] += 1
            self._texts[digest] = line[:80]
            return
        fields = line.split(b"|")
        if fields[2].startswith(self.good.encode()):
            self._orders.add(fields[2])
        cents = int(fields[8].replace(b".", b""))
        identity = hashlib.md5(b"|".join(fields[:5]), usedforsecurity=False).digest()
        self._cents.setdefault(identity, -cents if fields[4] == b"REFUND" else cents)

    @property
    def orders(self) -> int:
        """Good orders, each right after a bad line."""
        return len(self._orders)

    @property
    def rows(self) -> int:
        """Rows that transactions_cln gets."""
        return len(self._cents)

    @property
    def cents(self) -> int:
        """Their net sales."""
        return sum(self._cents.values())

    def text(self, digest: str) -> bytes:
        """Give the beginning of a line."""
        return self._texts.get(digest, b"(not one of ours)")


@dataclass(frozen=True, slots=True)
class Found:
    """What Hive shows: rows and net sales in cents of transactions_cln, good orders, quarantine."""

    rows: int
    cents: int
    orders: int
    bad: Counter[tuple[str, str]]

    @classmethod
    def ask(cls, stack: OwnStack, good: str = "-") -> Self:
        """Ask; an order id never begins with the default."""
        (row,) = stack.sql(_CLEAN.format(good=good))
        bad = Counter({(r["reason"], r["h"]): r["n"] for r in stack.sql(_QUARANTINE)})
        return cls(row["n"], int(Decimal(row["s"]) * 100), row["g"], bad)


def compare(stack: OwnStack, before: Found, expected: Expected) -> Count:
    """Count what is not as expected: lines lost, duplicated, and with another reason."""
    return settle(lambda: judge_count(before, Found.ask(stack, expected.good), expected))


def judge_count(before: Found, found: Found, expected: Expected) -> Count:
    """Compare what has been added since `before`."""
    says = []
    rows, cents = found.rows - before.rows, found.cents - before.cents
    if (rows, cents) != (expected.rows, expected.cents):
        says.append(
            f"transactions_cln has {rows:,} rows more and {cents / 100:,.2f}; the lines want"
            f" {expected.rows:,} and {expected.cents / 100:,.2f}."
        )
    if found.orders != expected.orders:
        says.append(f"of {expected.orders:,} good orders Hive has {found.orders:,}.")
    now = found.bad - before.bad
    missing, foreign = expected.bad - now, now - expected.bad
    elsewhere = {digest: reason for reason, digest in foreign}
    wrong = sum(digest in elsewhere for _, digest in missing)
    for reason, digest in list(missing)[:SHOWN]:
        is_there = f"is {elsewhere[digest]}" if digest in elsewhere else "is not in quarantine"
        says.append(f"{expected.text(digest)!r} {is_there}, and should be {reason}.")
    unexpected = [key for key in foreign if key[1] not in {digest for _, digest in missing}]
    says += [f"a line is in quarantine that should not ({r}): {expected.text(d)!r}."
             for r, d in unexpected[:SHOWN]]  # fmt: skip
    return Count(
        lines=expected.lines,
        lost=max(0, expected.rows - rows, expected.orders - found.orders)
        + sum(missing.values()) - wrong,
        duplicated=max(0, rows - expected.rows) + sum(foreign[key] for key in unexpected),
        wrong=wrong or int(rows == expected.rows and cents != expected.cents),
        differences=says,
    )  # fmt: skip


def _md5(line: bytes) -> str:
    return hashlib.md5(line, usedforsecurity=False).hexdigest()
