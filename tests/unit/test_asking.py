"""Questions side by side: their answers, their errors, and who is late."""

import threading
import time

import pytest

from cluster.asking import Late, ask_together, reason_of, sentence_of
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


def test_a_bug_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        ask_together({"bug": lambda: 1 / 0}, 5)


def test_why_somebody_does_not_answer_is_told_without_advice_to_ask_status() -> None:
    assert reason_of(Unavailable("Hive is away; `./loyalty status` shows its state.")) == (
        "Hive is away"
    )
    assert reason_of(ConnectionRefusedError(111, "Connection refused")) == "Connection refused"
    assert reason_of(EOFError()) == "EOFError"
