"""Sales that may be undone: what refunds and redemptions need to know of earlier receipts.

A few thousand of them in memory, so that the state is small at any rate: a refund comes minutes
after its sale at 1,000 orders/s, and up to a week after it at 30 seconds an order. A new process
begins with none: it never gives back what another one has sold, so no sale is given back twice.
"""

import random
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

RIPE_MS: Final = 60_000
"""Nobody brings back within the minute."""
FORGOTTEN_MS: Final = 7 * 86_400_000
MOST: Final = 5000
"""Sales in each of the two lists; some 3 MB in all."""
_TRIES: Final = 16
_ALL_PIECES: Final = 0.6
_HALF_AMOUNT: Final = 0.1
"""Share of lines of which half the amount is given back for all that is taken back."""
_WHOLE_RECEIPT: Final = 0.2


class Line(NamedTuple):
    """What is left of a SALE line; minor: its amount in hundredths."""

    line_no: int
    item: str
    pieces: int
    minor: int


@dataclass(slots=True)
class Sale:
    """A receipt: when it was rung up, and its instant as it is written (epoch ms).

    customer is empty for a walk-in; lines: what is left of it.
    """

    customer: str
    store: str
    order_id: str
    rung_ms: int
    ordered_at: int
    lines: tuple[Line, ...]


class Returns:
    """Sales in the order of time while they are fresh, then in none."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._fresh: deque[Sale] = deque()
        self._ripe: list[Sale] = []

    def __len__(self) -> int:
        """Give the number of sales that are remembered."""
        return len(self._fresh) + len(self._ripe)

    def keep(self, sale: Sale) -> None:
        """Remember a sale, if there is room."""
        if len(self._fresh) < MOST:
            self._fresh.append(sale)

    def forget(self) -> None:
        """Forget all of them."""
        self._fresh.clear()
        self._ripe.clear()

    def take(self, now_ms: int, *, of_member: bool = False) -> Sale | None:
        """Take a sale of at least a minute and at most a week ago; None where none is found."""
        while self._fresh and self._fresh[0].rung_ms + RIPE_MS <= now_ms:
            self._put(self._fresh.popleft())
        for _ in range(_TRIES):
            if not self._ripe:
                break
            place = int(self._dice.random() * len(self._ripe))
            sale = self._ripe[place]
            if of_member and not sale.customer:
                continue
            self._ripe[place] = self._ripe[-1]
            self._ripe.pop()
            if sale.rung_ms + FORGOTTEN_MS >= now_ms:
                return sale
        return None

    def undo(self, sale: Sale) -> list[Line]:
        """Take back some of a sale: the pieces and the amount given back, by line.

        What is left of it may be brought back another time; together never more than was sold.
        """
        lines = list(sale.lines)
        taken = lines if self._dice.random() < _WHOLE_RECEIPT else [self._dice.choice(lines)]
        back = {line.line_no: self._part(line) for line in taken}
        sale.lines = tuple(
            line._replace(pieces=line.pieces - part.pieces, minor=line.minor - part.minor)
            for line, part in ((line, back.get(line.line_no, _NOTHING)) for line in lines)
            if line.pieces > part.pieces
        )
        if sale.lines:
            self._put(sale)
        return list(back.values())

    def _part(self, line: Line) -> Line:
        pieces = line.pieces
        if self._dice.random() >= _ALL_PIECES:
            pieces = self._dice.randint(1, pieces)
        minor = line.minor * pieces // line.pieces
        if self._dice.random() < _HALF_AMOUNT:
            minor //= 2
        return line._replace(pieces=pieces, minor=minor)

    def _put(self, sale: Sale) -> None:
        if len(self._ripe) < MOST:
            self._ripe.append(sale)
        else:
            self._ripe[int(self._dice.random() * MOST)] = sale


_NOTHING: Final = Line(0, "", 0, 0)
