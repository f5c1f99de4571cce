"""The watcher's memory: where each hop stood and what each store took, in run/samples.json.

Samples get sparser as they get older, so the file stays small: all of the last two minutes, one a
minute of the last twenty, one each half hour of the last 25 hours.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from pipeline.document import read_document, replace_document
from pipeline.places import Places

STEPS: Final = ((120, 1), (1200, 60), (25 * 3600, 1800))
"""(age in seconds up to which, seconds of which only the first sample is kept)."""
FRESH_SECONDS: Final = 60
"""A rate is told no longer than so after the newest sample."""
WINDOW_SECONDS: Final = 65
"""Over which a rate is measured: a minute, with a round that came late."""
LEAST_SECONDS: Final = 20
LEAST_GROWTH_SECONDS: Final = 3600
"""What a store takes goes up and down with merges: a day's growth is told from an hour of it."""
LAG_SECONDS: Final = 600
LEAST_LAG: Final = 100
"""Lines by which a lag has to have grown in that time to be called growing."""
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Sample:
    """What was counted at an instant (epoch seconds); what could not be asked is left out."""

    at: float
    values: dict[str, int]


@dataclass(frozen=True, slots=True)
class Memory:
    """lines: by hop, ever growing. sizes: bytes by store. Both the oldest first. moved: when each
    hop was first seen to have its newest line (epoch seconds); left out where nobody saw it come.
    """

    lines: tuple[Sample, ...] = ()
    sizes: tuple[Sample, ...] = ()
    moved: dict[str, float] = field(default_factory=dict)

    def with_lines(self, sample: Sample) -> "Memory":
        """Add a sample of the hops."""
        before = newest_values(self.lines)
        moved = {
            hop: sample.at
            for hop, count in sample.values.items()
            if hop in before and count != before[hop]
        }
        return Memory(thin((*self.lines, sample)), self.sizes, self.moved | moved)

    def with_sizes(self, sample: Sample) -> "Memory":
        """Add a sample of the stores."""
        return Memory(self.lines, thin((*self.sizes, sample)), self.moved)


def thin(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Leave out what STEPS does not keep, as of the newest sample. What comes before a clock that
    was set back is as old as it says; what is later than the newest is dropped.
    """
    if not samples:
        return ()
    now = samples[-1].at
    kept: dict[tuple[int, int], Sample] = {}
    for sample in samples[:-1]:
        age = now - sample.at
        step = next((step for most, step in STEPS if 0 <= age <= most), None)
        if step is not None:
            # slots of the clock, so that thinning again and again keeps the same ones
            kept.setdefault((step, int(sample.at // step)), sample)
    return (*sorted(kept.values(), key=lambda one: one.at), samples[-1])


def newest_values(samples: Iterable[Sample]) -> dict[str, int]:
    """Give each thing's newest value."""
    found: dict[str, int] = {}
    for sample in samples:
        found |= sample.values
    return found


def rates(samples: Sequence[Sample], now: float) -> dict[str, float]:
    """Give lines a second over the last minute or so, of the hops where that is known.

    now: when whoever asks began to; a sample may have come since.
    """
    if not samples or abs(now - samples[-1].at) > FRESH_SECONDS:
        return {}
    newest = samples[-1]
    window = [one for one in samples if newest.at - one.at <= WINDOW_SECONDS]
    return {
        hop: (count - first.values[hop]) / (newest.at - first.at)
        for hop, count in newest.values.items()
        if (first := _first_with(hop, window)) is not None
        and newest.at - first.at >= LEAST_SECONDS
        and count >= first.values[hop]  # else the topic was made anew
    }


def growth(samples: Sequence[Sample]) -> dict[str, float]:
    """Give by how many bytes each store grows a day, where that is known."""
    if not samples:
        return {}
    newest = samples[-1]
    return {
        store: (size - first.values[store]) * DAY_SECONDS / (newest.at - first.at)
        for store, size in newest.values.items()
        if (first := _first_with(store, samples)) is not None
        and newest.at - first.at >= LEAST_GROWTH_SECONDS
    }


def pace(lines: Sequence[tuple[float, int]]) -> float:
    """Give lines a second, of counts at instants; 0 where there is one alone."""
    if len(lines) < 2:
        return 0
    (begun, first), (ended, last) = lines[0], lines[-1]
    return (last - first) / (ended - begun)


def growing_lags(
    samples: Sequence[Sample], sources: Mapping[str, str], now: float
) -> dict[str, tuple[int, int]]:
    """Give of each hop whose lag only grows (lines behind at the window's first sample, and now).

    sources: where each hop's lines come from. Lags go up and down with each batch, so all of the
    window's second half has to be above all of its first.
    """
    window = [one for one in samples if 0 <= now - one.at <= LAG_SECONDS]
    found = {}
    for hop, source in sources.items():
        lags = [(s.at, s.values[source] - s.values[hop])
                for s in window if {hop, source} <= s.values.keys()]  # fmt: skip
        if not lags or lags[-1][0] - lags[0][0] < LAG_SECONDS * 0.75:
            continue
        middle = (lags[0][0] + lags[-1][0]) / 2
        before = [lag for at, lag in lags if at <= middle]
        after = [lag for at, lag in lags if at > middle]
        # where more comes than before, a minute's more may wait for the next batch
        lines = [(s.at, s.values[source]) for s in window if source in s.values]
        paces = [
            pace([one for one in lines if (one[0] > middle) is late]) for late in (False, True)
        ]
        excused = max(LEAST_LAG, 60 * (paces[1] - paces[0]))
        if min(after) > max(before) and after[-1] - before[0] >= excused:
            found[hop] = before[0], after[-1]
    return found


def write_memory(places: Places, memory: Memory) -> None:
    """Replace the file."""
    replace_document(places.run / "samples.json", asdict(memory))


def read_memory(places: Places) -> Memory:
    """Read the file; nothing is remembered without one, or from a torn one."""
    document = read_document(places.run / "samples.json")
    if document is None or document.keys() != asdict(Memory()).keys():
        return Memory()
    return Memory(_samples(document["lines"]), _samples(document["sizes"]), document["moved"])


def _samples(rows: list[dict[str, Any]]) -> tuple[Sample, ...]:
    return tuple(Sample(row["at"], row["values"]) for row in rows)


def _first_with(name: str, samples: Iterable[Sample]) -> Sample | None:
    return next((one for one in samples if name in one.values), None)
