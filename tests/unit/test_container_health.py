"""What Docker's health check sees of a main process: who works, who only starts, who hangs."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.container import main_process
from cluster.patient import Patient
from cluster.stack import Stack
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.settings import ROOT
from tests.unit.main_processes import WAITS, beside, places, run_main
from tests.waiting import wait_until

__all__ = ["places", "run_main"]


def test_a_stage_is_healthy_once_this_life_has_shown_itself(
    places: Places, run_main: Callable[[list[str]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    def begins() -> None:
        if not begun:
            raise LoyaltyError("not yet")

    monkeypatch.setattr(Stack, "beginning", lambda *_: begins)
    monkeypatch.setattr("cluster.watch.demand_heartbeat", lambda _places: None)
    answered = places.run / "answered"

    def story() -> None:
        time.sleep(2.5)  # two looks
        assert not answered.exists()
        begun.append(1)
        wait_until("it has answered", answered.exists)

    raised = beside(story)
    assert run_main(WAITS) == 0
    assert raised == []


def test_who_has_not_begun_is_not_healthy(
    places: Places, run_main: Callable[[list[str]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka's answer may be long in coming before Flume is started; an end need not wait for it."""

    def beginning(stack: Stack, _name: str) -> None:
        assert stack.halt.wait(60)
        raise LoyaltyError("it was not waited for")

    monkeypatch.setattr(Stack, "beginning", beginning)

    def story() -> None:
        wait_until("somebody looks", (places.run / "looks").exists)
        time.sleep(2.5)  # two looks
        assert not (places.run / "answered").exists()

    raised = beside(story)
    begun = time.monotonic()
    assert run_main(WAITS) == 0
    assert time.monotonic() - begun < 30
    assert raised == []


def test_a_long_piece_of_work_is_no_silence_yet(
    places: Places, run_main: Callable[[list[str]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Natively `status` calls it stuck when half of the patience is over: Docker as well."""
    silent: list[int] = []

    def beats(_places: Places) -> None:
        if silent:
            raise LoyaltyError("it is at a long one")

    monkeypatch.setattr("cluster.watch.demand_heartbeat", beats)
    monkeypatch.setattr(main_process, "EVERY_SECONDS", 0.2)
    monkeypatch.setattr(main_process, "DOUBT_SECONDS", 0.2)
    stuck: list[int] = []
    real = Patient.is_stuck
    monkeypatch.setattr(Patient, "is_stuck", lambda *given: bool(stuck) or real(*given))
    answered = places.run / "answered"

    def is_touched() -> bool:
        answered.unlink(missing_ok=True)
        time.sleep(1)
        return answered.exists()

    def story() -> None:
        wait_until("it has answered", answered.exists)
        silent.append(1)
        time.sleep(0.5)
        assert is_touched()
        stuck.append(1)
        time.sleep(0.5)
        assert not is_touched()

    raised = beside(story)
    assert run_main(WAITS) == 0
    assert raised == []


def test_kills_that_brought_nothing_are_counted_over_lives(
    places: Places, run_main: Callable[[list[str]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a start that is longer than the patience would be killed at the same moment for ever."""
    monkeypatch.setattr("cluster.watch.demand_heartbeat", _silent)
    monkeypatch.setattr(Patient, "is_given_up", lambda *_: True)
    for lives in (1, 2, 3):
        assert run_main(WAITS) == 1
        counted = json.loads((places.run / "producer.fruitless.json").read_text())
        assert counted == {"n": lives}
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(places.run))
    monkeypatch.setattr("cluster.watch.demand_heartbeat", lambda _places: None)
    counts = places.run / "producer.fruitless.json"

    def story() -> None:
        wait_until("it answers", lambda: json.loads(counts.read_text()) == {"n": 0})

    raised = beside(story)
    assert run_main(WAITS) == 0
    assert raised == []


def _silent(_places: Places) -> None:
    raise LoyaltyError("nothing")


def test_healthy_is_who_has_answered_within_half_a_minute(tmp_path: Path) -> None:
    def is_healthy() -> bool:
        script = ROOT / "cluster" / "container" / "bin" / "healthy"
        done = subprocess.run([str(script)], env=os.environ | {"HOME": str(tmp_path)}, check=False)
        return done.returncode == 0

    assert not is_healthy(), "it has never answered"
    answered = tmp_path / "answered"
    answered.touch()
    assert is_healthy()
    os.utime(answered, (time.time() - 40,) * 2)
    assert not is_healthy()


def test_who_does_not_even_look_is_ended(tmp_path: Path) -> None:
    script = ROOT / "cluster" / "container" / "bin" / "healthy"
    with subprocess.Popen(WAITS) as hung:
        looks = tmp_path / "looks"
        looks.write_text(str(hung.pid))
        for age, ends in ((100, False), (200, True)):
            os.utime(looks, (time.time() - age,) * 2)
            for probe in (1, 2, 3):
                assert hung.poll() is None, "a clock may have jumped"
                done = subprocess.run(
                    [str(script)], env=os.environ | {"HOME": str(tmp_path)}, check=False
                )
                assert done.returncode == 1
                if not ends and probe == 3:
                    assert hung.poll() is None
        assert hung.wait(timeout=10) == -signal.SIGKILL
