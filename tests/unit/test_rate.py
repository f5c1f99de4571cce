"""The words for a rate, and the file that keeps what was asked for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import Refused, UsageError
from pipeline.places import Places
from producer.rate import ask_rate, asked, parse_rate, rate_file
from producer.traffic import Traffic


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


@pytest.mark.parametrize(
    "text", ["", "5/s", "[]", "7", '{"rate": "5/s"}', '{"rate": 5, "paused": 0}']
)
def test_a_file_that_somebody_else_wrote_is_refused(tmp_path: Path, text: str) -> None:
    file = rate_file(Places(tmp_path))
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(Refused, match=r"remove it and ask again"):
        asked(Places(tmp_path))


def test_a_wrong_word_changes_nothing(tmp_path: Path) -> None:
    places = Places(tmp_path)
    before = ask_rate(places, "5/s")
    with pytest.raises(UsageError, match="pause or resume"):
        ask_rate(places, "abc")
    assert asked(places) == before


def test_a_shape_is_kept_like_the_rate_and_settable_alone(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert ask_rate(places, "5/s").traffic == Traffic()
    rush = ask_rate(places, shape="rush-hour")
    assert (rush.rate.word, rush.traffic) == ("5/s", Traffic("rush-hour", 0.03, 0.02))
    assert ask_rate(places, "pause").traffic == rush.traffic
    kept = ask_rate(places, refunds=0.1)
    assert (kept.paused, kept.traffic) == (True, Traffic("rush-hour", 0.1, 0.02))
    assert asked(places) == kept
    assert ask_rate(places, "resume", shape="constant").traffic == Traffic()


def test_a_rate_asked_for_before_there_were_shapes_is_constant(tmp_path: Path) -> None:
    places = Places(tmp_path)
    ask_rate(places, "5/s")
    rate_file(places).write_text('{"rate": "5/s", "paused": false, "since_ms": 1}')
    found = asked(places)
    assert found is not None
    assert found.traffic == Traffic()


def test_a_wrong_shape_changes_nothing(tmp_path: Path) -> None:
    places = Places(tmp_path)
    before = ask_rate(places, "5/s")
    with pytest.raises(UsageError, match=r"at most 0\.5"):
        ask_rate(places, "7/s", refunds=0.6)
    assert asked(places) == before


TRAFFIC = ("--shape", "rush-hour", "--refunds", "0.1", "--redemptions", "0")


def test_rate_asks_for_shape_and_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path))
    done = CliRunner().invoke(app, ["rate", "5/s", *TRAFFIC])
    assert done.exit_code == 0, done.output
    found = asked(Places(tmp_path))
    assert found is not None
    assert (str(found), found.traffic) == ("5/s", Traffic("rush-hour", 0.1, 0.0))
    # what is not named stays
    assert CliRunner().invoke(app, ["rate", "--redemptions", "0.2"]).exit_code == 0
    found = asked(Places(tmp_path))
    assert found is not None
    assert (str(found), found.traffic) == ("5/s", Traffic("rush-hour", 0.1, 0.2))


def test_up_asks_for_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, object] = {}
    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path))
    monkeypatch.setattr("pipeline.commands.up._start", lambda _stack, **named: given.update(named))
    done = CliRunner().invoke(app, ["up", "--rate", "5/s", *TRAFFIC])
    assert done.exit_code == 0, done.output
    assert given == {
        "empty": False, "rate": "5/s", "history": None,
        "traffic": {"shape": "rush-hour", "refunds": 0.1, "redemptions": 0.0},
    }  # fmt: skip
