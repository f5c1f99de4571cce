"""Invented orders, fast: what can be drawn beforehand is, and an order is put together from it.

The same members, menu, run and seed give the same bytes. Nothing here knows the clock.
"""

import hashlib
import random
import secrets
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from pipeline.errors import Refused
from pipeline.order import Fault, parse
from pipeline.programme import MenuItem
from producer.members import Member

DEMO: Final = "demo-"
"""Order ids of the running producer begin with this, so its rate can be measured in the files."""

WALK_INS: Final = 0.2
"""Share of orders without a member."""
AWAY: Final = 0.1
"""Share of members' orders that draw any store instead of the home store."""
LINES: Final = (0.75, 0.15, 0.06, 0.03, 0.01)
"""Shares of receipts with one to five lines. (The chain in shared/data: 1.16 lines a receipt.)"""
PIECES: Final = (0.8, 0.15, 0.04, 0.01)
"""Shares of lines with one to four pieces."""
_BASKETS: Final = 4096
_MOST_MINOR: Final = 999_999_999
"""An amount has at most seven digits before the point."""


def demo_run() -> str:
    """Give a new prefix for the order ids of a running producer."""
    return f"{DEMO}{secrets.token_hex(6)}"


def seeded_run(*parts: object) -> str:
    """Give the prefix for order ids that belong to exactly these parts: seed, start, members …"""
    return f"run-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


class Till:
    """Rings up receipts: `run` and a running number make the order id.

    members must not be empty; raises Refused for a menu item that no order line can hold.
    """

    def __init__(
        self, members: Sequence[Member], menu: Sequence[MenuItem], run: str, seed: str
    ) -> None:
        dice = random.Random(seed)
        self._draw = dice.random
        self._run = run
        self._count = 0
        self._members = [(str(member.customer_id), str(member.home_store)) for member in members]
        self._stores = sorted({store for _, store in self._members})
        _check(menu)
        self._baskets = [_basket(menu, dice) for _ in range(_BASKETS)]

    def move_to(self, members: Sequence[Member]) -> None:
        """Go on with other members, as after a new customer file."""
        self._members = [(str(member.customer_id), str(member.home_store)) for member in members]
        self._stores = sorted({store for _, store in self._members})

    def receipt(self, ordered_at: int) -> list[bytes]:
        """Ring up the next receipt at an instant (epoch ms): its lines, each with its end."""
        draw = self._draw
        self._count += 1
        customer, store = self._members[int(draw() * len(self._members))]
        chance = draw()
        if chance < WALK_INS:
            customer = ""
        if chance < WALK_INS + (1 - WALK_INS) * AWAY:
            store = self._stores[int(draw() * len(self._stores))]
        head = f"{customer}|{ordered_at}|{self._run}-{self._count}|"
        basket = self._baskets[int(draw() * _BASKETS)]
        return [f"{head}{before}{store}{after}".encode() for before, after in basket]


def _basket(menu: Sequence[MenuItem], dice: random.Random) -> list[tuple[str, str]]:
    """Draw what is on a receipt: per line the text before the store and that after it."""
    left = list(menu)
    basket = []
    for number in range(1, min(_drawn(LINES, dice), len(left)) + 1):
        item = left.pop(int(dice.random() * len(left)))
        minor = int(item.price * 100)
        pieces = min(_drawn(PIECES, dice), _MOST_MINOR // max(minor, 1))
        amount = minor * pieces
        after = f"|{item.item}|{pieces}|{amount // 100}.{amount % 100:02}|\n"
        basket.append((f"{number}|SALE|", after))
    return basket


def _drawn(shares: Sequence[float], dice: random.Random) -> int:
    """Draw 1, 2, … by their shares."""
    chance = dice.random()
    return next(
        (n for n, most in enumerate(accumulate(shares), start=1) if chance < most), len(shares)
    )


def _check(menu: Sequence[MenuItem]) -> None:
    for item in menu:
        line = f"|1000000000000|A|1|SALE|1|{item.item}|1|{item.price:.2f}|"
        if isinstance(fault := parse(line.encode()), Fault):
            raise Refused(
                f"The menu's item {item.item!r} at {item.price} cannot be on an order line"
                f" ({fault.reason}); correct it in the programme file."
            )
