"""The start as a graph, and waiting for a real answer."""

import threading
import time
from pathlib import Path

import pytest

from cluster.stamp import make_cluster_id
from cluster.startup import Step, last_words, run_steps, wait_for_answer
from cluster.supervision import Supervisor
from pipeline.errors import LoyaltyError, Refused
from pipeline.places import Places


def test_a_step_begins_when_all_that_it_needs_is_done() -> None:
    order: list[str] = []
    steps = [
        Step("flume", "", lambda: order.append("flume"), ("topic", "folders", "not of this start")),
        Step("topic", "", lambda: order.append("topic"), ("kafka",)),
        Step("kafka", "", lambda: order.append("kafka")),
        Step("folders", "", lambda: order.append("folders")),
    ]
    told: list[str] = []
    run_steps(steps, lambda step, _seconds: told.append(step.name))
    assert order.index("kafka") < order.index("topic") < order.index("flume")
    assert order[-1] == "flume"
    assert sorted(told) == ["flume", "folders", "kafka", "topic"]


def test_steps_that_need_nothing_run_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)  # each waits for the other: one alone would time out
    run_steps([Step("a", "", both.wait), Step("b", "", both.wait)], lambda *_: None)
    assert not both.broken


def test_a_failure_is_raised_and_nothing_after_it_begins() -> None:
    begun: list[str] = []

    def fail() -> None:
        raise Refused("no disk")

    steps = [
        Step("a", "", fail),
        Step("b", "", lambda: begun.append("b"), ("a",)),
    ]
    with pytest.raises(Refused, match="no disk"):
        run_steps(steps, lambda *_: None)
    assert begun == []


def test_no_answer_in_time_names_the_component_and_shows_its_log(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.logs.mkdir()
    (places.logs / "kafka.log").write_text("one\ntwo: disk full\n")

    def question() -> None:
        raise LoyaltyError("no leader")

    with pytest.raises(LoyaltyError, match=r"(?s)kafka gave no answer.*no leader.*disk full"):
        wait_for_answer("kafka", question, Supervisor(places), places, patience=0.3)


def test_last_words_are_the_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("".join(f"line {n}\n" for n in range(5000)))
    assert last_words(log, 2) == "line 4998\n  line 4999"
    assert last_words(tmp_path / "none") == "(no log yet)"


def test_nobody_waits_for_answers_after_a_failure(tmp_path: Path) -> None:
    places, halt = Places(tmp_path), threading.Event()

    def fail() -> None:
        raise Refused("no disk")

    def silent() -> None:
        raise LoyaltyError("no answer")

    def waiting() -> None:
        wait_for_answer("datanode", silent, Supervisor(places), places, patience=60, halt=halt)

    begun = time.monotonic()
    with pytest.raises(Refused, match="no disk"):
        run_steps([Step("a", "", fail), Step("b", "", waiting)], lambda *_: None, halt)
    assert time.monotonic() - begun < 30


def test_kafkas_cluster_id_never_looks_like_an_option() -> None:
    ids = [make_cluster_id() for _ in range(2000)]
    assert not [text for text in ids if text.startswith("-")]
    assert {len(text) for text in ids} == {22}
