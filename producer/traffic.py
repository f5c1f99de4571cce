"""What is asked for beside the rate: the shape of the orders, the shares of those that undo some.

constant   orders come evenly, and every member as often as any other
rush-hour  orders come with a morning and a noon peak and few at night, the day's mean being the
           rate; some members come nearly daily, most of them now and then
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from pipeline.errors import UsageError
from producer.shape import CONSTANT, RUSH_HOUR

MOST_SHARE: Final = 0.5
"""Of refunds and redemptions together: each of them needs an order of its own before it."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """A shape, and the shares of orders that are refunds and that have a redemption."""

    shape: str = CONSTANT
    refunds: float = 0.0
    redemptions: float = 0.0

    def __str__(self) -> str:
        """Say what differs from constant orders without either; empty where nothing does."""
        words = [self.shape] if self.shape != CONSTANT else []
        words += [f"{share:g} refunds" for share in (self.refunds,) if share]
        words += [f"{share:g} redemptions" for share in (self.redemptions,) if share]
        return ", ".join(words)

    def document(self) -> dict[str, Any]:
        """Give the fields as JSON has them."""
        return asdict(self)


SHAPES: Final = {
    CONSTANT: Traffic(),
    RUSH_HOUR: Traffic(RUSH_HOUR, refunds=0.03, redemptions=0.02),
}
"""What each shape brings along, unless shares are asked for."""


def choose_traffic(
    shape: str | None = None,
    refunds: float | None = None,
    redemptions: float | None = None,
    before: Traffic = SHAPES[CONSTANT],
) -> Traffic:
    """Give what is asked for now; what is None stays as `before`, or comes with a new shape.

    Raises UsageError for an unknown shape, and for shares below 0 or above 0.5 together.
    """
    if shape is not None and shape not in SHAPES:
        raise UsageError(f"--shape: {shape!r} is none; give {' or '.join(SHAPES)}.")
    base = before if shape is None else SHAPES[shape]
    chosen = Traffic(
        base.shape,
        base.refunds if refunds is None else refunds,
        base.redemptions if redemptions is None else redemptions,
    )
    shares = (chosen.refunds, chosen.redemptions)
    if not all(math.isfinite(share) and share >= 0 for share in shares) or (
        sum(shares) > MOST_SHARE + 1e-9
    ):
        raise UsageError(
            f"--refunds and --redemptions are shares of the orders, together at most {MOST_SHARE};"
            " give 0.03 for three in a hundred."
        )
    return chosen
