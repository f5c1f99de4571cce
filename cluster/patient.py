"""What the watcher knows of one component, and when its patience with it is over.

Times are seconds of a monotonic clock, so that the pace of the rounds does not matter.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from cluster.movement import State

PATIENCE_SECONDS: Final = 20
"""How long a process may give no answer, to at least three questions, before it is killed."""
QUESTIONS_AT_LEAST: Final = 3
GRACE_SECONDS: Final = 60
"""A process that has not answered since its start is left alone for so long."""
MOST_STRETCH: Final = 5
CERTAIN_QUESTIONS: Final = 2
"""A process that is stopped by a signal, or whose server says that it has ended, is given up when
it is so at two questions, however young it is: neither is a slow start."""
MOST_FRUITLESS: Final = 4
"""Each kill that brought no answer doubles the patience, up to so many: 16 times of it."""


def stretch(load: float, free_up_to: float) -> float:
    """Give by how much everything takes longer on a busy machine: 1 up to that load, 5 at most.

    load: processes that want to run, for each processor (measured at 20: starts of 100 to 200 s).
    """
    return min(max(load / free_up_to, 1), MOST_STRETCH)


@dataclass
class Patient:
    """One component over the life of the watcher.

    silent: questions in a row without an answer, the first of them at `since`. proven: the pid
    that has given a real answer: its start is over. heard: the pid that has said anything at all.
    ended: questions in a row at which it was certain that it never will answer by itself. killed:
    why the watcher ended it last, `kills` times in all, at `killed_at` (ISO); `fruitless` of these
    since the last real answer. behind: those of its readers that had more to read.
    """

    silent: int = 0
    since: float = 0
    reason: str = ""
    answered_at: float = 0
    proven: int = 0
    heard: int = 0
    ended: int = 0
    kills: int = 0
    killed: str = ""
    killed_at: str = ""
    fruitless: int = 0
    behind: State = field(default_factory=dict)

    def answer(self, pid: int, *, proof: bool = True) -> None:
        """Take an answer down; without `proof` it says no more than that the process talks."""
        self.answered_at, self.reason = time.time(), ""
        self.silent = self.ended = 0
        if proof:
            self.proven, self.fruitless = pid, 0

    def miss(self, pid: int, reason: str, now: float, *, age: float, certain: bool) -> None:
        """Take down that a process, `age` seconds old, has not answered.

        A start is left alone, unless it is `certain` that no answer will ever come.
        """
        self.reason = reason
        self.ended = self.ended + 1 if certain else 0
        if not certain and self.proven != pid and age < GRACE_SECONDS:
            self.silent = 0
            return
        self.since = self.since if self.silent else now
        self.silent += 1

    def is_given_up(self, now: float, patience: float) -> bool:
        """Tell whether its process has to be killed: ever later where the last kills did not help.

        (Whether it is stuck does not wait for that: `status` says so as early as ever.)
        """
        longer = 2 ** min(self.fruitless, MOST_FRUITLESS)
        if self.ended >= CERTAIN_QUESTIONS * longer:
            return True
        return self.silent >= QUESTIONS_AT_LEAST and now - self.since >= patience * longer

    def is_stuck(self, now: float, patience: float) -> bool:
        """Tell whether `status` should call it unhealthy: half of the patience is over, or a kill
        has brought no answer yet, however young the process is that followed.
        """
        if self.ended > 0 or (self.fruitless > 0 and self.reason):
            return True
        return self.silent > 1 and now - self.since >= patience / 2

    def kill(self) -> None:
        """Take down that it was killed for its present reason."""
        self.silent = self.ended = 0
        self.kills += 1
        self.fruitless += 1
        self.killed = self.reason
        self.killed_at = datetime.now(tz=UTC).isoformat(timespec="seconds")

    def document(self, now: float, patience: float) -> dict[str, Any]:
        """Give what run/health.json says of it."""
        answered = datetime.fromtimestamp(self.answered_at, tz=UTC) if self.answered_at else None
        return {
            "answered_at": answered and answered.isoformat(timespec="seconds"),
            "silent": self.silent, "reason": self.reason, "stuck": self.is_stuck(now, patience),
            "kills": self.kills, "killed": self.killed, "killed_at": self.killed_at,
        }  # fmt: skip
