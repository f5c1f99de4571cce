"""Who cares for the components where each is in a container: Docker starts again what ends, and a
stage stands as long as somebody holds a lock in the data folder that they share.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from cluster.supervision import Process, Supervisor
from pipeline.errors import Busy, LoyaltyError
from pipeline.lock import is_held, only_one
from pipeline.places import Places
from pipeline.settings import Settings

STAGES: Final = ("flume", "streaming", "refresh", "producer")
"""They share a data folder: the order log, how far each reader is, the stream's checkpoint."""
QUIET_SECONDS: Final = 30
"""A stage whose container has given no sign for so long is down."""
_STOP_SECONDS: Final = 90


def care_of(settings: Settings) -> Supervisor:
    """Give who cares for a stack's processes."""
    places = Places(settings.data)
    return Containers(places) if settings.containers else Supervisor(places)


class Marks:
    """The marks of one stage: that it shall stand, that it stands, that it lives.

    It shall stand while a process holds the lock: one that is killed lets it go on.
    """

    def __init__(self, places: Places, name: str) -> None:
        folder = places.run / "stages"
        self.lock: Path = folder / f"{name}.shall-stand"
        self.stands: Path = folder / f"{name}.stands"
        self.lives: Path = folder / f"{name}.lives"

    def shall_stand(self) -> bool:
        """Tell whether somebody wants it to stand."""
        return is_held(self.lock)

    def silence(self) -> float | None:
        """Give for how many seconds its container has given no sign; None: it never gave one, or
        has ended in order.
        """
        with suppress(FileNotFoundError):
            return time.time() - self.lives.stat().st_mtime
        return None

    def demand_life(self) -> None:
        """Raise LoyaltyError where its container has given no sign for too long."""
        seconds = self.silence()
        if seconds is None:
            raise LoyaltyError("its container has not given a sign of life yet")
        if seconds > QUIET_SECONDS:
            raise LoyaltyError(f"its container has given no sign of life for {seconds:.0f} s")


class Containers(Supervisor):
    """The containers of one stack, seen from that of the command line."""

    def __init__(self, places: Places) -> None:
        super().__init__(places)
        self._held: dict[str, ExitStack] = {}

    def is_running(self) -> bool:
        """Say that somebody cares: Docker does."""
        return True

    def processes(self) -> dict[str, Process]:
        """Give the stages: STOPPED where one shall stand, else RUNNING. No pid means anything
        outside of its container.
        """
        return {
            name: Process(name, "STOPPED" if self._marks(name).shall_stand() else "RUNNING", 0)
            for name in STAGES
        }  # fmt: skip

    @contextmanager
    def held(self, name: str) -> Iterator[bool]:  # noqa: ARG002
        """Do nothing more: what `stop` holds is let go with this process."""
        yield False

    def start(self, name: str) -> bool:
        """Let a stage go on that stands because of us; False when it does not."""
        held = self._held.pop(name, None)
        if held is None:
            return False
        held.close()
        return True

    def stop(self, name: str) -> None:
        """Let a stage stand, and wait until it does; one whose container has ended in order stands,
        and would stand when that was started. Raises LoyaltyError where it does not: a container
        that is silent may be paused, and go on in the middle of its work.
        """
        marks = self._marks(name)
        end = time.monotonic() + _STOP_SECONDS
        held = ExitStack()
        while True:  # whoever looks whether it is held holds it for that moment
            try:
                held.enter_context(only_one(marks.lock, f"A command that lets {name} stand"))
                break
            except Busy:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)
        marks.stands.unlink(missing_ok=True)
        self._held[name] = held
        while not marks.stands.exists() and (silence := marks.silence()) is not None:
            if time.monotonic() > end:
                self.start(name)
                raise LoyaltyError(
                    f"{name} does not stand after {_STOP_SECONDS} s; "
                    f"`docker compose logs {name}` shows why."
                    if silence <= QUIET_SECONDS
                    else f"The container of {name} has given no sign of life for {silence:.0f} s:"
                    f" `docker compose start {name}` or `docker compose stop {name}`, then again."
                )
            time.sleep(0.2)

    def _marks(self, name: str) -> Marks:
        if name not in STAGES:
            raise LoyaltyError(
                f"{name} is in a container of its own: `docker compose stop {name}` stops it, "
                f"`docker compose start {name}` starts it."
            )
        return Marks(self._places, name)
