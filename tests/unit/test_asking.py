"""Questions side by side: their answers, their errors, and who is late."""

import threading
import time

import pytest

from cluster import health
from cluster.asking import Late, ask_together, reason_of, sentence_of
from cluster.findings import BUSY_LOAD
from pipeline.errors import Unavailable


def test_who_hangs_holds_nobody_up() -> None:
    never = threading.Event()

    def refuse() -> int:
        raise Unavailable("Kafka is away.")

    begun = time.monotonic()
    found = ask_together({"one": lambda: 1, "no": refuse, "hangs": never.wait}, 0.3)
    assert time.monotonic() - begun < 2
    never.set()
    assert found["one"] == 1
    assert isinstance(found["no"], Unavailable)
    assert isinstance(found["hangs"], Late)
    assert sentence_of(found["hangs"]) == "no answer within 0.3 s"


def test_a_slow_start_leaves_the_questions_of_status_less_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "load", lambda: 0.0)
    assert health.patience() == health.patience(0.2) == 1.2
    assert 1 + health.patience(1) == pytest.approx(1.75)
    assert health.patience(30) == 0.5
    monkeypatch.setattr(health, "load", lambda: 10 * BUSY_LOAD)
    assert health.patience(30) == 2.5, "on a busy machine everything takes longer"


def test_a_bug_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        ask_together({"bug": lambda: 1 / 0}, 5)


def test_why_somebody_does_not_answer_is_told_without_advice_to_ask_status() -> None:
    assert reason_of(Unavailable("Hive is away; `./loyalty status` shows its state.")) == (
        "Hive is away"
    )
    assert reason_of(ConnectionRefusedError(111, "Connection refused")) == "Connection refused"
    assert reason_of(EOFError()) == "EOFError"
