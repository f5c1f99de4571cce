"""The watcher's memory: what it keeps, and the rates, growth and lags that it tells."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.samples import (
    FRESH_SECONDS,
    STEPS,
    Memory,
    Sample,
    growing_lags,
    growth,
    rates,
    read_memory,
    thin,
    write_memory,
)
from pipeline.places import Places

NOW = 1_780_000_000.0
MOST = sum(int(age / step) + 2 for age, step in STEPS)
PACES = st.lists(st.floats(min_value=1.5, max_value=900), min_size=1, max_size=300)


def at_pace(paces: list[float]) -> list[Sample]:
    """Give samples with these pauses, the newest at NOW."""
    times = [NOW]
    for pause in paces:
        times.append(times[-1] - pause)
    return [Sample(at, {}) for at in reversed(times)]


def steady(rate: float, seconds: int, every: int = 10) -> list[Sample]:
    """Give samples of one hop at a rate, the newest at NOW."""
    return [Sample(NOW - age, {"topic": 10**6 - int(age * rate)})
            for age in range(seconds, -1, -every)]  # fmt: skip


@given(paces=PACES)
def test_thinned_one_at_a_time_every_time_has_a_sample_near_it(paces: list[float]) -> None:
    samples = at_pace(paces)
    kept: tuple[Sample, ...] = ()
    for sample in samples:
        kept = thin((*kept, sample))
    assert kept[-1] == samples[-1]
    for sample in samples:
        step = next((step for most, step in STEPS if NOW - sample.at <= most), None)
        # of its slot of the clock, or of one of the finer slots that it was in before
        assert step is None or any(abs(sample.at - one.at) <= 2 * step for one in kept)


@given(paces=PACES)
def test_every_time_of_the_day_has_a_sample_near_it(paces: list[float]) -> None:
    samples = at_pace(paces)
    kept = [one.at for one in thin(samples)]
    for sample in samples:
        age = NOW - sample.at
        step = next((step for most, step in STEPS if age <= most), None)
        if step is not None:
            # the first of its slot of the clock is kept
            assert any(0 <= sample.at - at <= step for at in kept)


def test_a_day_of_rounds_is_a_small_file(tmp_path: Path) -> None:
    memory = Memory()
    for count in range(5000):
        memory = memory.with_lines(Sample(NOW + 20 * count, {"log": count, "topic": count}))
    assert len(memory.lines) <= MOST
    write_memory(Places(tmp_path), memory)
    assert read_memory(Places(tmp_path)) == memory
    assert (tmp_path / "run" / "samples.json").stat().st_size < 20_000


@pytest.mark.parametrize("torn", [b"", b'{"lines": [', b"{}", b"[]"])
def test_a_torn_file_is_like_none(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "samples.json").write_bytes(torn)
    assert read_memory(Places(tmp_path)) == Memory()


def test_a_clock_set_back_stops_nothing() -> None:
    samples = [Sample(NOW + 3600, {"topic": 5}), Sample(NOW, {"topic": 7})]
    assert thin(samples) == (samples[1],)


@given(rate=st.floats(min_value=0, max_value=2000), every=st.integers(5, 12))
def test_a_steady_rate_is_measured(rate: float, every: int) -> None:
    found = rates(thin(steady(rate, 600, every)), NOW + 5)["topic"]
    assert found == pytest.approx(rate, abs=2 / 20)


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        ([], "before the first round"),
        (steady(5, 600)[:-10], "a watcher that is down"),
        (steady(5, 10), "too short a time"),
        ([*steady(5, 600)[:-1], Sample(NOW, {"topic": 3})], "a topic made anew"),
        ([*steady(5, 600)[:-1], Sample(NOW, {})], "Kafka was away"),
    ],
)
def test_what_is_not_known_has_no_rate(samples: list[Sample], why: str) -> None:
    assert rates(samples, NOW) == {}, why


def test_a_rate_is_told_for_a_minute_after_the_last_round() -> None:
    assert rates(steady(5, 600), NOW + FRESH_SECONDS)
    assert not rates(steady(5, 600), NOW + FRESH_SECONDS + 1)
    assert rates(steady(5, 600), NOW - 3), "a sample came while `status` was at it"
    assert not rates(steady(5, 600), NOW - FRESH_SECONDS - 1), "the clock was set back"


def test_a_store_grows_by_the_day() -> None:
    samples = [Sample(NOW - age, {"Kafka": 10**9 - age * 1000}) for age in (7200, 3600, 0)]
    assert growth(samples) == {"Kafka": pytest.approx(86_400_000)}
    assert growth(samples[1:]) == {"Kafka": pytest.approx(86_400_000)}
    assert growth(samples[2:]) == {}, "one look tells no growth"


def test_a_hop_has_moved_when_its_count_did() -> None:
    memory = Memory().with_lines(Sample(NOW, {"topic": 5, "raw": 5}))
    assert memory.moved == {}, "nobody saw these come"
    memory = memory.with_lines(Sample(NOW + 10, {"topic": 6, "raw": 5}))
    memory = memory.with_lines(Sample(NOW + 20, {"topic": 6}))
    memory = memory.with_lines(Sample(NOW + 30, {"topic": 6, "raw": 6}))
    assert memory.moved == {"topic": NOW + 10, "raw": NOW + 30}


def lagging(lags: list[int]) -> list[Sample]:
    """Give a sample a minute with these lags, the newest at NOW."""
    return [Sample(NOW - 60 * age, {"topic": 10**6, "raw": 10**6 - lag})
            for age, lag in enumerate(reversed(lags))][::-1]  # fmt: skip


@pytest.mark.parametrize(
    ("lags", "grows"),
    [
        ([0, 100, 200, 300, 400, 500, 600, 700, 800, 900], True),
        ([0, 500, 100, 500, 300, 900, 1000, 950, 1500, 1200], True),  # with each batch up and down
        ([0, 5000, 0, 5000, 0, 5000, 0, 5000, 0, 5000], False),
        ([900, 800, 700, 600, 500, 400, 300, 200, 100, 0], False),
        ([5, 6, 7, 8, 9, 10, 11, 12, 13, 14], False),  # too little to be called so
        ([0, 1000], False),  # too short
        ([7000] * 10, False),  # it stands: the watcher says so
    ],
)
def test_a_lag_that_only_grows_is_told_from_one_that_breathes(lags: list[int], grows: bool) -> None:
    expected = {"raw": (lags[0], lags[-1])} if grows else {}
    assert growing_lags(lagging(lags), {"raw": "topic"}, NOW) == expected


@pytest.mark.parametrize(("lag", "grows"), [(160, False), (1500, True)])
def test_what_waits_for_the_next_batch_is_no_growing_lag(lag: int, grows: bool) -> None:
    """For five minutes nothing came; since then 20 lines a second do."""
    written = [0] * 5 + [1200 * minute for minute in range(1, 6)]
    samples = [
        Sample(NOW - 60 * (9 - place), {"topic": lines, "raw": lines - (lag if lines else 0)})
        for place, lines in enumerate(written)
    ]
    expected = {"raw": (0, lag)} if grows else {}
    assert growing_lags(samples, {"raw": "topic"}, NOW) == expected


def test_a_reader_that_is_a_little_too_slow_grows() -> None:
    """Twenty lines a second come, all the time, and nineteen are read."""
    samples = [
        Sample(NOW - 60 * age, {"topic": 1200 * (9 - age), "raw": 1140 * (9 - age)})
        for age in range(9, -1, -1)
    ]
    assert growing_lags(samples, {"raw": "topic"}, NOW) == {"raw": (0, 540)}
