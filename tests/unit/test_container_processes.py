"""A container's main process, its marks, and who asks for them; its child is one that waits."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cluster.container.care import Containers, Marks, care_of
from cluster.supervision import Supervisor
from cluster.watch import Watch
from pipeline.cli import app
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.settings import ROOT, Settings
from tests.unit.main_processes import WAITS, beside, places, run_main
from tests.waiting import wait_until

__all__ = ["places", "run_main"]


def test_a_stage_stands_when_it_is_asked_to_and_goes_on(
    places: Places, run_main: Callable[[list[str]], int]
) -> None:
    marks, care = Marks(places, "producer"), Containers(places)

    def story() -> None:
        wait_until("it gives a sign of life", marks.lives.exists)
        marks.demand_life()
        assert care.processes()["producer"].state == "RUNNING"
        care.stop("producer")
        assert marks.stands.exists()
        assert care.processes()["producer"].state == "STOPPED"
        assert care.start("producer") is True
        wait_until("it goes on", lambda: not marks.stands.exists())
        assert care.start("producer") is False, "it does not stand"

    raised = beside(story)
    assert run_main(WAITS) == 0
    assert raised == []
    assert not marks.lives.exists(), "it has ended in order"


def test_a_stage_goes_on_when_who_let_it_stand_was_killed(places: Places) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from cluster.container.care import Containers; from pipeline.places import Places\n"
        "care = Containers(Places(Path(sys.argv[1]))); care.stop('streaming')\n"
        "print('stands', flush=True)\n"
        "time.sleep(600)"
    )
    marks, care = Marks(places, "streaming"), Containers(places)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(places.data)], cwd=ROOT, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        try:
            while not select.select([holder.stdout], [], [], 0.1)[0]:
                marks.stands.touch()  # as its main process does
            assert holder.stdout.readline() == b"stands\n"
            assert care.processes()["streaming"].state == "STOPPED"
        finally:
            holder.kill()
    assert not marks.shall_stand()
    assert care.processes()["streaming"].state == "RUNNING"


def test_a_stage_whose_container_was_stopped_stands(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.container.care._STOP_SECONDS", 0.3)
    marks, care = Marks(places, "streaming"), Containers(places)
    marks.lives.touch()
    os.utime(marks.lives, (time.time() + 99,) * 2)  # it lives all the time
    with pytest.raises(LoyaltyError, match="streaming does not stand after"):
        care.stop("streaming")
    assert not marks.shall_stand()
    long_ago = time.time() - 99
    os.utime(marks.lives, (long_ago, long_ago))
    with pytest.raises(LoyaltyError, match="no sign of life for 99 s: `docker compose start"):
        care.stop("streaming")  # perhaps it is paused, and goes on
    assert not marks.shall_stand()
    marks.lives.unlink()  # as its main process does at its end
    care.stop("streaming")
    assert marks.shall_stand(), "its container would be started with the next `up`"
    assert care.start("streaming") is True


def test_a_main_process_whose_child_has_ended_ends_too(
    run_main: Callable[[list[str]], int], capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_main([sys.executable, "-c", "raise SystemExit(3)"]) == 1
    assert "producer has ended with 3" in capfd.readouterr().err


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_main_process_that_cannot_ask_ends(
    run_main: Callable[[list[str]], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_watch: Watch) -> None:
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(Watch, "look", broken)
    assert run_main(WAITS) == 1


def test_a_stage_whose_container_is_away_gives_no_sign(places: Places) -> None:
    marks = Marks(places, "flume")
    with pytest.raises(LoyaltyError, match="not given a sign of life yet"):
        marks.demand_life()
    marks.lives.touch()
    long_ago = time.time() - 99
    os.utime(marks.lives, (long_ago, long_ago))
    with pytest.raises(LoyaltyError, match="no sign of life for 99 s"):
        marks.demand_life()


def test_a_server_is_stopped_by_docker(places: Places) -> None:
    with pytest.raises(LoyaltyError, match="`docker compose stop kafka` stops it"):
        Containers(places).stop("kafka")


def test_natively_supervisord_cares(tmp_path: Path) -> None:
    native = Settings.model_validate({"data": tmp_path})
    assert type(care_of(native)) is Supervisor
    inside = Settings.model_validate({"data": tmp_path, "containers": True})
    assert type(care_of(inside)) is Containers


def test_a_drill_is_refused_where_its_code_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The image has no folder drill."""
    monkeypatch.setenv("LOYALTY_CONTAINERS", "1")
    monkeypatch.setitem(sys.modules, "drill.course", None)
    done = CliRunner().invoke(app, ["drill", "kills"], prog_name="./loyalty")
    assert done.exit_code == 1
    assert "`./loyalty --compose drill` on the host" in " ".join(done.stderr.split())
