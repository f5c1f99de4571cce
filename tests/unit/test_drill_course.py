"""What `./loyalty drill` takes, and what it refuses before a stack starts."""

import json

import pytest
from typer.testing import CliRunner

from drill import course
from drill.course import DRILLS, make_plan
from drill.plan import Plan
from drill.verdict import Count, Outcome, Row
from pipeline.cli import app
from pipeline.errors import UsageError

KINDS = (*DRILLS, "all")


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_component_is_refused(kind: str) -> None:
    with pytest.raises(UsageError, match="--only"):
        make_plan(kind, "zookeeper", None, None, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_is_taken_or_refused(kind: str) -> None:
    assert make_plan(kind, None, None, None, 1).rate == 500
    if kind in {"growth", "hostile", "idle", "refeed"}:
        with pytest.raises(UsageError, match=f"^`drill {kind}` takes no --rate"):
            make_plan(kind, None, None, 500, 1)
    else:
        assert make_plan(kind, None, 2, 80, 1) == Plan(None, 2, 80, 1)


def test_how_often_is_refused_where_it_is_once() -> None:
    with pytest.raises(UsageError, match=r"^`drill controls --only comparison` takes no --times"):
        make_plan("controls", "comparison", 2, None, 1)
    assert make_plan("controls", None, 2, None, 1).times == 2
    assert make_plan("controls", "staging", 2, None, 1).times == 2


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every drill end well at once; gives the names of those that ran."""
    names: list[str] = []

    def run_one(name: str, asked: Plan, _told: object) -> Outcome:
        names.append(f"{name} at {asked.rate:.0f}")
        return Outcome([Row("kafka", "SIGKILL", 1, 2, 3.0, 4)], Count(4))

    monkeypatch.setattr(course, "_run_one", run_one)
    return names


@pytest.mark.parametrize(
    "found",
    [
        Outcome([], Count(4, lost=1)),
        Outcome([], Count(4), ["kafka was not hit"]),
        Outcome([], Count(4, differences=["HBase has another line"])),
    ],
)
@pytest.mark.parametrize("words", [[], ["--json"]])
def test_the_exit_code_says_what_was_found(
    monkeypatch: pytest.MonkeyPatch, found: Outcome, words: list[str]
) -> None:
    monkeypatch.setattr(course, "_run_one", lambda _name, _asked, _told: found)
    done = CliRunner().invoke(app, ["drill", "kills", "--seed", "7", *words])
    assert done.exit_code == 1, done.output
    if words:
        assert json.loads(done.stdout)["ok"] is False


def test_the_seed_is_told_when_the_drill_begins(ran: list[str]) -> None:
    done = CliRunner().invoke(app, ["drill", "all", "--seed", "7"])
    assert done.exit_code == 0, done.output
    assert "seed 7" in done.stderr
    assert ran == ["kills at 500", "points at 500"]


@pytest.mark.parametrize(
    "words",
    [
        ("hostile", "--rate", "100"),
        ("refeed", "--rate", "500"),
        ("growth", "--rate", "500"),
        ("soak", "--only", "kafka"),
        ("controls", "--only", "comparison", "--times", "3"),
    ],
)
def test_a_refusal_is_one_sentence(words: tuple[str, ...], ran: list[str]) -> None:
    done = CliRunner().invoke(app, ["drill", *words])
    assert (done.exit_code, done.stdout, ran) == (2, "", [])
    assert done.stderr.startswith("error: `drill ")
    assert done.stderr.count("\n") == 1
    assert "leave it out" in done.stderr
