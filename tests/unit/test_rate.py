"""The words for a rate, and the file that keeps what was asked for."""

from pathlib import Path

import pytest

from pipeline.errors import Refused, UsageError
from pipeline.places import Places
from producer.rate import ask_rate, asked, parse_rate, rate_file


@pytest.mark.parametrize(
    ("word", "interval_ns"),
    [
        ("30s", 30_000_000_000),
        ("0.5s", 500_000_000),
        ("0.2/s", 5_000_000_000),
        ("5/s", 200_000_000),
        ("500/s", 2_000_000),
        ("100000/s", 10_000),
        ("12/min", 5_000_000_000),
        ("0.00001s", 10_000),
        ("max", 0),
    ],
)
def test_a_rate_is_an_interval(word: str, interval_ns: int) -> None:
    rate = parse_rate(word)
    assert rate.word == word
    assert rate.interval_ns == interval_ns


@pytest.mark.parametrize(
    "word",
    ["0", "-1", "abc", "", "0/s", "0s", "0.0/s", "5", "5/h", "5 /s", "5/s ", "-5/s", "+5/s",
     "1e3/s", "007/s", "nan/s", "inf/s", "100001/s", "100000.1/s", "6000001/min", "0.000009s",
     "٥/s", "5/s\n", "MAX", "1,000/s", "pause", "resume"],
)  # fmt: skip
def test_anything_else_is_wrong_use_and_lists_the_forms(word: str) -> None:
    with pytest.raises(UsageError, match=r"30s.*0\.2/s.*100,000/s.*12/min.*max"):
        parse_rate(word)


def test_orders_a_second() -> None:
    assert parse_rate("12/min").per_second == 0.2
    assert parse_rate("max").per_second is None


def test_nothing_was_asked_for_yet(tmp_path: Path) -> None:
    assert asked(Places(tmp_path)) is None


def test_a_pause_keeps_the_rate_for_resume(tmp_path: Path) -> None:
    places = Places(tmp_path)
    ask_rate(places, "5/s")
    paused = ask_rate(places, "pause")
    assert (str(paused), paused.paused, paused.rate.word) == ("pause", True, "5/s")
    assert asked(places) == paused
    assert str(ask_rate(places, "resume")) == "5/s"


def test_only_resume_ends_a_pause(tmp_path: Path) -> None:
    places = Places(tmp_path)
    ask_rate(places, "pause")
    kept = ask_rate(places, "500/s")
    assert (kept.paused, kept.rate.word) == (True, "500/s")
    assert str(ask_rate(places, "resume")) == "500/s"


def test_resume_alone_takes_the_default(tmp_path: Path) -> None:
    assert str(ask_rate(Places(tmp_path), "resume")) == "30s"


def test_a_wrong_word_changes_nothing(tmp_path: Path) -> None:
    places = Places(tmp_path)
    before = ask_rate(places, "5/s")
    with pytest.raises(UsageError, match="pause or resume"):
        ask_rate(places, "abc")
    assert asked(places) == before


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    places = Places(tmp_path)
    ask_rate(places, "5/s")
    rate_file(places).write_text("5/s")
    with pytest.raises(Refused, match="remove it"):
        asked(places)
