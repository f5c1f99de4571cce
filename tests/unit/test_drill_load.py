"""What is said of a drill's till that does not write what it was asked for, without a stack."""

import subprocess
import sys
import time
from pathlib import Path
from typing import cast

import pytest

from drill import controls, load
from drill.controls import LAST, Bench, Control
from drill.load import Till, even_out, under_load
from drill.plan import Plan
from drill.stack import OwnStack, describe
from drill.verdict import Count
from tests.waiting import wait_until

PLAN = Plan(only=None, times=1, rate=100, seed=1)
BEGIN = """
import sys, time
key = open(sys.argv[1], "ab", buffering=0)
key.write(b"header\\nrow\\n")
"""
FAST = BEGIN + "while True: key.write(b'row\\n' * 50); time.sleep(0.05)"
SLOW = BEGIN + "while True: key.write(b'row\\n'); time.sleep(0.05)"
ENDS = BEGIN + "time.sleep(0.2); sys.exit('there is no room')"


class _Scripted(OwnStack):
    """A stack whose `produce` is a program that is given the key; nothing else of it is there."""

    program: str

    def start(self, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        key = arguments[arguments.index("--answer-key") + 1]
        with log.open("ab") as output:
            return subprocess.Popen([sys.executable, "-c", self.program, key], stderr=output)


def scripted(folder: Path, text: str) -> OwnStack:
    """Describe a stack with such a till."""

    class Stack(_Scripted):
        program = text

    made = describe(folder)
    made.places.logs.mkdir()
    return Stack(made.settings, made.environment)


def test_a_till_that_writes_what_it_should_is_no_complaint(tmp_path: Path) -> None:
    with under_load(scripted(tmp_path, FAST), PLAN) as (till, complaints):
        time.sleep(0.5)
    assert complaints == []
    assert till.lines_per_second() > 0.9 * PLAN.rate


def test_a_till_that_writes_too_little_is_a_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "EVEN_SECONDS", 0.5)
    with under_load(scripted(tmp_path, SLOW), PLAN) as (till, complaints):
        time.sleep(0.5)
    assert 0 < till.lines_per_second() < 0.9 * PLAN.rate
    (said,) = complaints
    assert said.startswith("the till wrote ")
    assert said.endswith(" lines/s and should have written 100")


def test_a_till_that_ended_by_itself_is_a_complaint_in_its_own_words(tmp_path: Path) -> None:
    with under_load(scripted(tmp_path, ENDS), PLAN) as (till, complaints):
        wait_until("the till ends", lambda: not till.pid)
    assert complaints == ["the till ended by itself: there is no room"]


@pytest.mark.parametrize(
    ("program", "says"),
    [(FAST, ""), (SLOW, "should have written 100"), (ENDS, "ended by itself: there is no room")],
)
def test_so_it_is_where_a_safety_was_taken_away(
    program: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the count finds what it must: it was made of too few lines."""

    def break_it(_: Bench) -> Count:
        time.sleep(0.5)
        return Count(duplicated=1)

    monkeypatch.setitem(controls.CONTROLS, LAST, Control("streaming", break_it, "duplicated"))
    stack = scripted(tmp_path, program)
    _, complaints = controls._take_away(Bench(stack, Till(stack, PLAN.rate, 1)), LAST)
    assert len(complaints) == bool(says)
    assert says in "".join(complaints)


def test_a_stall_of_a_short_drill_is_evened_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        pid = 1
        asked = 0

        def complaint(self) -> str:
            self.asked += 1
            return "too slow" if self.asked < 3 else ""

    slow = Slow()
    even_out(cast("Till", slow))
    assert slow.asked == 3
    never = Slow()
    never.asked = -1_000_000
    monkeypatch.setattr(load, "EVEN_SECONDS", 0.5)
    even_out(cast("Till", never))
    assert never.complaint() == "too slow"
