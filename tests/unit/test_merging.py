"""Merging: when a partition is merged, and where its rows are cut."""

import logging
from datetime import date
from random import Random
from threading import Event

import pyarrow as pa
import pytest

from pipeline.errors import Unavailable
from pipeline.generations import number_of, numbers
from pipeline.topic import Topic
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.files import DataName, QuarantineName
from streaming.merging import DATA_FILES, QUARANTINE_FILES, Kind, is_crowded, is_merged, spans
from streaming.query import Batches, Source, Stopping
from streaming.rounds import Rounds
from streaming.stored import Generation
from tests.unit.order_rows import NOON

NOBODY = "http://127.0.0.1:1"
"""A port at which nothing answers."""


def cut(positions: list[int], most: int, weights: list[int] | None = None) -> list[tuple[int, int]]:
    heavy = None if weights is None else pa.array(weights, pa.int64())
    return list(spans(pa.array(positions, pa.int64()), heavy, most))


def test_rows_are_cut_by_their_number() -> None:
    assert cut(list(range(10)), 4) == [(0, 3), (4, 7), (8, 9)]
    assert cut([9, 0, 5], 4) == [(0, 9)]
    assert cut([], 4) == []


def test_rows_of_one_instant_stay_together() -> None:
    assert cut([1, 1, 1, 2, 2, 3], 4) == [(1, 1), (2, 3)]
    assert cut([1, 2, 2, 2, 2, 2, 3], 4) == [(1, 1), (2, 2), (3, 3)]


def test_rows_are_cut_by_what_they_weigh() -> None:
    assert cut([3, 2, 1, 0], 10, [9, 1, 5, 5]) == [(0, 1), (2, 3)]
    assert cut([0, 1, 2], 10, [99, 1, 99]) == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize("seed", range(20))
def test_no_row_is_lost_and_none_is_in_two_files(seed: int) -> None:
    random = Random(seed)
    positions = [random.randrange(60) for _ in range(300)]
    weights = [random.randrange(1, 9) for _ in positions]
    found = cut(positions, 40, weights)
    assert [sum(low <= at <= high for low, high in found) for at in positions] == [1] * 300
    for low, high in found:
        weighs = sum(w for at, w in zip(positions, weights, strict=True) if low <= at <= high)
        assert weighs <= 40 or low == high


def home(generation: int, *batches: int) -> Generation:
    """Describe a generation by its files' batches."""
    names = [DataName(1, batch, n, NOON, NOON).text() for n, batch in enumerate(batches)]
    return Generation(f"/t/odr_dt=2019-04-01/odr_hr=0/g={generation}", names)


@pytest.mark.parametrize(
    ("generation", "batches", "merged"),
    [
        (1, [], True),
        (1, [7], True),
        (1, [7, 7], False),  # two files of one batch, an hour apart
        (1, [7, 8], False),
        (2, [7, 7, 7], True),
        (2, [7, 7, 8], False),
        (3, [9], True),
    ],
)
def test_a_generation_is_merged_or_not(generation: int, batches: list[int], merged: bool) -> None:
    assert is_merged(DATA_FILES, home(generation, *batches)) is merged


def test_hidden_files_are_none() -> None:
    found = home(1, 7)
    found.names += ["_switched", ".x"]
    assert is_merged(DATA_FILES, found)


def test_foreign_files_are_unmerged() -> None:
    found = home(2, 7, 7)
    found.names.append("part-0.parquet")
    assert not is_merged(DATA_FILES, found)


@pytest.mark.parametrize(
    ("generation", "batches", "crowded"),
    [
        (1, range(64), False),
        (1, range(65), True),
        (2, [0] * 60 + [1] * 5, False),  # too few new ones to write all again
        (2, [0] * 32 + list(range(1, 34)), False),
        (2, [0] * 8 + list(range(1, 64)), False),
        (2, [0] * 8 + list(range(1, 65)), True),
        (2, [0] * 200, False),
    ],
)
def test_a_generation_is_crowded_or_not(generation: int, batches: list[int], crowded: bool) -> None:
    assert is_crowded(DATA_FILES, home(generation, *batches)) is crowded


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (DATA_FILES, DataName(3, 9, 2, NOON, NOON + 5).text()),
        (QUARANTINE_FILES, QuarantineName(3, 9, 2, 40, 41).text()),
    ],
)
def test_names_are_made_as_they_were_read(kind: Kind, name: str) -> None:
    part = kind.read(f"/t/g=1/{name}")
    assert part is not None
    assert part.batch == (3, 9)
    assert kind.read("/t/g=1/part-0.parquet") is None


def test_generations_are_numbered() -> None:
    assert numbers(["g=10", "g=9", "g=09", "_switched", "odr_hr=0", "g=x"]) == [9, 10]
    assert number_of("/t/odr_dt=2019-04-01/odr_hr=0/g=12") == 12


def test_a_merge_gives_a_sign_of_work_until_it_is_asked_to_end() -> None:
    signs: list[int] = []
    writer = BatchWriter(Hdfs(NOBODY, user="spark"), Tables("/t", "/q", "/s"), lambda _: None,
                         lambda: signs.append(1))  # fmt: skip
    batches = Batches(Source(Topic("127.0.0.1:1", "orders"), "t", 10), writer, lambda _: None)
    ending = Event()
    rounds = Rounds(writer, batches, ending, today=date.today, swept=None, done=lambda: None)
    rounds.go_on()
    rounds.go_on()
    ending.set()
    with pytest.raises(Stopping):
        rounds.go_on()
    assert len(signs) == 2


def test_hdfs_away_is_said_once_and_does_not_end_the_stream(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streaming.rounds.AGAIN_SECONDS", 0)
    writer = BatchWriter(Hdfs(NOBODY, user="spark"), Tables("/t", "/q", "/s"), lambda _: None)
    batches = Batches(Source(Topic("127.0.0.1:1", "orders"), "t", 10), writer, lambda _: None)
    today = date(2019, 4, 1)
    rounds = Rounds(writer, batches, Event(), today=lambda: today, swept=None, done=lambda: None)
    with caplog.at_level(logging.WARNING):
        rounds.look()
        rounds.look()
    assert caplog.text.count("Small files are merged later") == 1
    with pytest.raises(Unavailable):
        writer.merge("/t", "odr_dt=2019-04-01/odr_hr=0", lambda: None)
