"""Takes the watcher's samples, at its pace: positions each round, sizes every two minutes."""

import math
import time
from collections.abc import Container
from contextlib import suppress
from typing import Final

from cluster.hops import count_lines
from cluster.movement import State
from cluster.samples import Sample, read_memory, write_memory
from cluster.sizes import measure_sizes
from cluster.startup import NOT_READY
from pipeline.places import Places
from pipeline.settings import Settings

SIZES_SECONDS: Final = 120
MOST_SHARE: Final = 0.002
"""Of the time, for looking at sizes: with millions of files that takes seconds."""


class Sampler:
    """Goes on with what the watcher before has remembered."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places = Places(settings.data)
        self._memory = read_memory(self._places)
        self._sized_after = -math.inf

    def take(self, readers: State, answering: Container[str]) -> None:
        """Take one; readers: as this round has found them. Sizes while the NameNode answers."""
        memory = self._memory
        if lines := count_lines(readers, self._places):
            memory = memory.with_lines(Sample(time.time(), lines))
        begun = time.monotonic()
        if begun >= self._sized_after and "namenode" in answering:
            self._sized_after = begun + SIZES_SECONDS
            with suppress(*NOT_READY):  # the next round's question tells why
                memory = memory.with_sizes(Sample(time.time(), measure_sizes(self._settings)))
                took = time.monotonic() - begun
                self._sized_after = begun + max(SIZES_SECONDS, took / MOST_SHARE)
        if memory != self._memory:
            self._memory = memory
            with suppress(OSError):  # no room: the figures get old, and the watcher goes on
                write_memory(self._places, memory)
