"""Faults planted on request, each known by its name, so that an answer key can tell of it.

duplicate       a line of the receipt is written again, 1 to 100 receipts later
duplicate-hour  the receipt happened an hour ago, and a line of it is written again, 101 to 1,000
duplicate-day   receipts later; the same, a day ago
late-minutes    the receipt happened 1 to 59 minutes ago
late-days       1 to 6 days ago
late-weeks      1 to 8 weeks ago
conflict        a line's identity is written again with another amount or store, 1 to 100 receipts
                later
malformed       a line that is none is written after the receipt: every reason in turn, in the key
                `malformed:REASON`

A share is that of receipts; a receipt has at most one fault. "Ago" is before the instant that the
receipt has otherwise, never before the first that an order line can hold, and never before the sale
that a refund or a redemption is of. What is still to be
written again when a run comes to its end follows then. The receipts without a fault are the same
bytes as in a run without faults.
"""

import random
from collections.abc import Mapping
from heapq import heappop, heappush
from itertools import accumulate
from typing import Final, NamedTuple

from pipeline.errors import UsageError
from producer.clock import FIRST_MS
from producer.malformed import REASONS, malformed, ways
from producer.orders import Till

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_MOST_AMOUNT: Final = 10**9
_MOST_STORE: Final = 10**6

LATE: Final = {"late-minutes": (_MINUTE, 59), "late-days": (_DAY, 6), "late-weeks": (7 * _DAY, 8)}
"""Unit in milliseconds, and the most of it."""
AGAIN: Final = {"duplicate": (0, 1, 100), "duplicate-hour": (_HOUR, 101, 1000),
                "duplicate-day": (_DAY, 101, 1000), "conflict": (0, 1, 100)}  # fmt: skip
"""How long ago in milliseconds, and after how many receipts, from and to."""
MALFORMED: Final = "malformed"
CONFLICT: Final = "conflict"
NAMES: Final = (*AGAIN, *LATE, MALFORMED)

Shares = Mapping[str, float]


class Written(NamedTuple):
    """A line with its end, and the name of the fault that it is, empty for none."""

    line: bytes
    fault: str = ""


def parse_faults(text: str) -> dict[str, float]:
    """Read `name=share,name=share`; raises UsageError for other names, or shares above 1 in all."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.strip().partition("=")
        if name not in NAMES or name in shares:
            raise UsageError(
                f"--faults: {name!r} is {'there twice' if name in shares else 'no fault'}; "
                f"give each of these at most once: {', '.join(NAMES)}."
            )
        try:
            shares[name] = float(share)
        except ValueError:
            shares[name] = -1
        if not 0 < shares[name] <= 1:
            raise UsageError(
                f"--faults: {name} has the share {share!r}; give one above 0 and at most 1, as"
                f" {name}=0.01."
            )
    if (total := sum(shares.values())) > 1 + 1e-9:
        raise UsageError(f"--faults: the shares add up to {total:g}; together at most 1.")
    return shares


class Planter:
    """Rings up a till's receipts with faults in them; without shares as they are.

    The same till, shares and seed give the same lines.
    """

    def __init__(self, till: Till, shares: Shares, seed: str) -> None:
        self._till = till
        self._dice = random.Random(f"faults {seed}")
        self._names = list(shares)
        self._limits = list(accumulate(shares.values()))
        self._count = 0
        self._broken = 0
        self._held: list[tuple[int, int, Written]] = []

    def receipt(self, ordered_at: int) -> list[Written]:
        """Ring up the next receipt at an instant (epoch ms), and what is due with it."""
        if not self._names:
            return [Written(line) for line in self._rung(ordered_at)]
        self._count += 1
        fault = self._drawn()
        lines = self._rung(ordered_at, self._ago(ordered_at, fault))
        written = [Written(line, fault if fault in LATE else "") for line in lines]
        if fault == MALFORMED:
            written.append(self._malformed(lines[0]))
        elif fault in AGAIN:
            self._hold(self._dice.choice(lines), fault)
        while self._held and self._held[0][0] <= self._count:
            written.append(heappop(self._held)[2])
        return written

    def rest(self) -> list[Written]:
        """Give what is still to be written again, at a run's end."""
        rest = [written for _, _, written in sorted(self._held)]
        self._held.clear()
        return rest

    def _drawn(self) -> str:
        chance = self._dice.random()
        names = zip(self._limits, self._names, strict=True)
        return next((name for limit, name in names if chance < limit), "")

    def _rung(self, ordered_at: int, ago: int = 0) -> list[bytes]:
        return self._till.receipt(ordered_at, ago).encode().splitlines(keepends=True)

    def _ago(self, ordered_at: int, fault: str) -> int:
        ago = AGAIN[fault][0] if fault in AGAIN else 0
        if fault in LATE:
            unit, most = LATE[fault]
            ago = unit * self._dice.randint(1, most)
        return min(ago, ordered_at - FIRST_MS)

    def _hold(self, line: bytes, fault: str) -> None:
        _, least, most = AGAIN[fault]
        due = self._count + self._dice.randint(least, most)
        if fault == CONFLICT:
            line = contradicted(line, amount=self._dice.random() < 0.5)
        heappush(self._held, (due, self._count, Written(line, fault)))

    def _malformed(self, line: bytes) -> Written:
        """Break a copy of a line, under an order id of its own, for the next reason."""
        turn, place = divmod(self._broken, len(REASONS))
        self._broken += 1
        reason = REASONS[place]
        fields = line.split(b"|")
        fields[2] += b"-bad"
        fields[4], fields[9] = b"SALE", b"\n"  # of a refund: with a ref some ways would be legal
        broken = malformed(b"|".join(fields), reason, turn % ways(reason))
        return Written(broken, f"{MALFORMED}:{reason}")


def contradicted(line: bytes, *, amount: bool) -> bytes:
    """Give a good line of the same identity with another amount, or another store.

    A redemption has one amount, so of it the store is another in any case.
    """
    fields = line.split(b"|")
    if amount and fields[4] != b"REDEEM":
        minor = (int(fields[8].replace(b".", b"")) + 1) % _MOST_AMOUNT
        fields[8] = b"%d.%02d" % divmod(minor, 100)
    else:
        fields[5] = b"%d" % (int(fields[5]) % (_MOST_STORE - 1) + 1)
    return b"|".join(fields)
