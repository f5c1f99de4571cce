"""Who cares for the components where each is in a container: Docker starts again what ends, and a
stage stands and goes on by marks in the data folder that it shares with the command line.
"""

import time
from pathlib import Path
from typing import Final

from cluster.supervision import Process, Supervisor
from pipeline.errors import LoyaltyError
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
    """The marks of one stage: that it shall stand, that it stands, that it lives."""

    def __init__(self, places: Places, name: str) -> None:
        folder = places.run / "stages"
        self.shall_stand: Path = folder / f"{name}.shall-stand"
        self.stands: Path = folder / f"{name}.stands"
        self.lives: Path = folder / f"{name}.lives"

    def demand_life(self) -> None:
        """Raise LoyaltyError where its container has given no sign for too long."""
        try:
            seconds = time.time() - self.lives.stat().st_mtime
        except FileNotFoundError:
            raise LoyaltyError("its container has not given a sign of life yet") from None
        if seconds > QUIET_SECONDS:
            raise LoyaltyError(f"its container has given no sign of life for {seconds:.0f} s")


class Containers(Supervisor):
    """The containers of one stack, seen from that of the command line."""

    def is_running(self) -> bool:
        """Say that somebody cares: Docker does."""
        return True

    def processes(self) -> dict[str, Process]:
        """Give the stages: STOPPED where one shall stand, else RUNNING. No pid means anything
        outside of its container.
        """
        return {
            name: Process(name, "STOPPED" if self._marks(name).shall_stand.exists() else "RUNNING",
                          0, "")
            for name in STAGES
        }  # fmt: skip

    def start(self, name: str) -> bool:
        """Let a stage that stands go on; False when it does not stand."""
        mark = self._marks(name).shall_stand
        stood = mark.exists()
        mark.unlink(missing_ok=True)
        return stood

    def stop(self, name: str) -> None:
        """Let a stage stand, and wait until it does."""
        marks = self._marks(name)
        marks.stands.unlink(missing_ok=True)
        marks.shall_stand.parent.mkdir(parents=True, exist_ok=True)
        marks.shall_stand.touch()
        end = time.monotonic() + _STOP_SECONDS
        while not marks.stands.exists():
            if time.monotonic() > end:
                marks.shall_stand.unlink(missing_ok=True)
                raise LoyaltyError(
                    f"{name} does not stand after {_STOP_SECONDS} s; "
                    f"`docker compose logs {name}` shows why."
                )
            time.sleep(0.2)

    def _marks(self, name: str) -> Marks:
        if name not in STAGES:
            raise LoyaltyError(
                f"{name} is in a container of its own: `docker compose stop {name}` stops it, "
                f"`docker compose start {name}` starts it."
            )
        return Marks(self._places, name)
