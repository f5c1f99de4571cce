"""What a drill was asked for, and who is told what happens."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.progress import Progress, unseen

Turn = TypeVar("Turn")

Told = Callable[[str], None]
"""Is given each thing that was done, as a sentence."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for. times: None for as often as the drill itself takes for enough.

    rate: order lines a second.
    """

    only: str | None
    times: int | None
    rate: float
    seed: int
    progress: Progress = field(default=unseen, compare=False)
    """Is told how many turns of the drill are done, of how many."""

    def each(self, turns: Sequence[Turn]) -> Iterator[Turn]:
        """Give one turn after the other, and tell how many are done."""
        for done, turn in enumerate(turns):
            self.progress(done, len(turns))
            yield turn
        self.progress(len(turns), len(turns))
