"""Invented orders, fast: what can be drawn beforehand is, and an order is put together from it.

The same members, menu, run, seed, traffic and instants give the same lines. Nothing here knows the
clock.
"""

import hashlib
import random
import secrets
from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from pipeline.errors import Refused
from pipeline.order import Fault, parse
from pipeline.programme import MenuItem
from producer.members import Member
from producer.returns import RIPE_MS, Line, Returns, Sale
from producer.shape import CONSTANT, RUSH_HOUR
from producer.traffic import SHAPES, Traffic

DEMO: Final = "demo-"
"""Order ids of the running producer begin with this, so its rate can be measured in the files."""

WALK_INS: Final = 0.2
"""Share of orders without a member."""
AWAY: Final = 0.1
"""Share of members' orders that draw any store instead of the home store."""
_ANYWHERE: Final = WALK_INS + (1 - WALK_INS) * AWAY
LINES: Final = (0.75, 0.15, 0.06, 0.03, 0.01)
"""Shares of receipts with one to five lines. (The chain in shared/data: 1.16 lines a receipt.)"""
PIECES: Final = (0.8, 0.15, 0.04, 0.01)
"""Shares of lines with one to four pieces."""
LOYAL: Final = 100
"""How members come back in a rush-hour shape: the n-th as 1 / (n + members / 100), Zipf's law with
a flat top. Who comes most often comes some twenty times as often as the average; a fifth of the
members make two thirds of the orders."""
REWARDS: Final = (("reward-syrup", 3), ("reward-cookie", 6), ("reward-refill", 12))
"""Reward codes and their points."""
_MINOR_PER_POINT: Final = 1000
"""The programme's default, without multipliers: no more is spent than was earned."""
_REMEMBERED: Final = 2.0
"""Sales remembered for each one that is undone: as many as needed, and some to choose from."""
_BASKETS: Final = 4096
_MOST_MINOR: Final = 999_999_999
"""An amount has at most seven digits before the point."""


def demo_run() -> str:
    """Give a new prefix for the order ids of a running producer."""
    return f"{DEMO}{secrets.token_hex(6)}"


def seeded_run(*parts: object) -> str:
    """Give the prefix for order ids that belong to exactly these parts: seed, start, members …"""
    return f"run-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


class _Basket(NamedTuple):
    """What is on a receipt; texts: per line what is before the store and what is after it."""

    texts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]


class Till:
    """Rings up receipts: `run` and a running number make the order id.

    members must not be empty; raises Refused for a menu item that no order line can hold.
    """

    def __init__(
        self,
        members: Sequence[Member],
        menu: Sequence[MenuItem],
        run: str,
        seed: str,
        traffic: Traffic = SHAPES[CONSTANT],
    ) -> None:
        dice = random.Random(seed)
        self._draw = dice.random
        # of its own: the orders between refunds are those without refunds
        self._turns = random.Random(f"turns {seed}")
        self._returns = Returns(self._turns)
        self._run = run
        self._count = 0
        _check(menu)
        self._traffic = traffic
        self.move_to(members)
        self._baskets = [_basket(menu, dice) for _ in range(_BASKETS)]

    def move_to(self, members: Sequence[Member]) -> None:
        """Go on with other members, as after a new customer file; earlier sales are final."""
        self._given = members
        self._returns.forget()
        self.follow(self._traffic)

    def follow(self, traffic: Traffic) -> None:
        """Go on with another traffic."""
        self._traffic = traffic
        self._is_ranked = traffic.shape == RUSH_HOUR
        members = sorted(self._given, key=_rank) if self._is_ranked else self._given
        self._members = [(str(member.customer_id), str(member.home_store)) for member in members]
        self._stores = sorted({store for _, store in self._members})
        self._refunds = traffic.refunds
        self._undoing = traffic.refunds + traffic.redemptions
        self._remembered = min(1.0, _REMEMBERED * self._undoing / (1 - traffic.refunds))

    def receipt(self, ordered_at: int, ago: int = 0) -> str:
        """Ring up the next receipt at an instant (epoch ms): its lines, each with its end.

        A share of them are refunds, or sales with a redemption, as far as there are sales to undo.
        ago: milliseconds by which it is dated back; a receipt that undoes an earlier one is never
        dated before that.
        """
        return self.receipts(ordered_at, 1, ago)

    def receipts(self, ordered_at: int, count: int, ago: int = 0) -> str:
        """Ring up the next `count` receipts at an instant, each like `receipt`."""
        # in one function, and each line by one format: calls would be a third of an order's cost
        draw, members, stores, baskets = self._draw, self._members, self._stores, self._baskets
        usual = f"|{ordered_at - ago}|{self._run}-"
        rung = []
        for _ in range(count):
            self._count += 1
            sale, written, middle = None, ordered_at - ago, usual
            if self._remembered:
                sale, is_refund = self._undone(ordered_at)
                if sale and is_refund:
                    rung.append(self._refund(sale, max(written, sale.ordered_at + RIPE_MS)))
                    continue
            place = draw()
            if self._is_ranked:
                # the inverse of the share of orders that the first n members have
                place = ((LOYAL + 1) ** place - 1) / LOYAL
            customer, store = members[int(place * len(members))]
            chance = draw()
            if chance < WALK_INS:
                customer = ""
            if chance < _ANYWHERE:
                store = stores[int(draw() * len(stores))]
            if sale:
                customer, store = sale.customer, sale.store
                written = max(written, sale.ordered_at + RIPE_MS)
                middle = f"|{written}|{self._run}-"
            texts, lines = baskets[int(draw() * _BASKETS)]
            for before, after in texts:
                rung.append(f"{customer}{middle}{self._count}{before}{store}{after}")
            if not self._remembered:
                continue
            head = f"{customer}{middle}{self._count}|"
            if sale and (reward := self._reward(sale)):
                rung.append(f"{head}{len(lines) + 1}|REDEEM|{store}|{reward}|0.00|\n")
            if self._turns.random() < self._remembered:
                order_id = f"{self._run}-{self._count}"
                self._returns.keep(Sale(customer, store, order_id, ordered_at, written, lines))
        return "".join(rung)

    def _undone(self, ordered_at: int) -> tuple[Sale | None, bool]:
        """Give the sale that the next receipt undoes, if any, and whether by refunds."""
        chance = self._turns.random()
        if chance < self._refunds:
            return self._returns.take(ordered_at), True
        if chance < self._undoing:
            return self._returns.take(ordered_at, of_member=True), False
        return None, False

    def _refund(self, sale: Sale, written: int) -> str:
        """Give back some of a sale, to its customer, mostly in its store."""
        store = sale.store
        if self._turns.random() < AWAY:
            store = self._turns.choice(self._stores)
        head = f"{sale.customer}|{written}|{self._run}-{self._count}|"
        return "".join(
            f"{head}{line.line_no}|REFUND|{store}|{line.item}|{line.pieces}"
            f"|{_amount(line.minor)}|{sale.order_id}\n"
            for line in self._returns.undo(sale)
        )

    def _reward(self, sale: Sale) -> str:
        """Spend points of an earlier sale: code and points, empty where it has too few for any."""
        points = sum(line.minor for line in sale.lines) // _MINOR_PER_POINT
        found = [(code, cost) for code, cost in REWARDS if cost <= points]
        if not found:
            return ""
        code, cost = self._turns.choice(found)
        return f"{code}|{cost}"


def _rank(member: Member) -> bytes:
    """Give a member's place among all, the same for ever: who comes often is drawn by the id."""
    return hashlib.blake2b(b"%d" % member.customer_id, digest_size=8).digest()


def _basket(menu: Sequence[MenuItem], dice: random.Random) -> _Basket:
    """Draw what is on a receipt."""
    left = list(menu)
    texts, lines = [], []
    for number in range(1, min(_drawn(LINES, dice), len(left)) + 1):
        item = left.pop(int(dice.random() * len(left)))
        price = int(item.price * 100)
        pieces = min(_drawn(PIECES, dice), _MOST_MINOR // max(price, 1))
        line = Line(number, item.item, pieces, price * pieces)
        texts.append((f"|{number}|SALE|", f"|{item.item}|{pieces}|{_amount(line.minor)}|\n"))
        lines.append(line)
    return _Basket(tuple(texts), tuple(lines))


def _amount(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


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
