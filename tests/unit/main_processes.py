"""A container's main process whose child is one that waits, and a story that is told beside it."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.container import main_process
from cluster.container.main_process import MainProcess
from cluster.stack import Stack
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.settings import Settings

WAITS = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """The stages' volume."""
    places = Places(tmp_path)
    (places.run / "stages").mkdir(parents=True)
    places.producer.mkdir()
    return places


@pytest.fixture
def run_main(places: Places, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], int]:
    """Run the producer's main process with another child; gives its exit code."""
    monkeypatch.setenv("HOME", str(places.run))

    def run(command: list[str]) -> int:
        monkeypatch.setattr(main_process, "command", lambda *_: command)
        settings = Settings.model_validate({"data": places.data, "containers": True})
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            return MainProcess(
                Stack(settings, read_programme(settings.programme)), "producer"
            ).run()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    return run


def beside(story: Callable[[], None]) -> list[BaseException]:
    """Begin a story in another thread that ends with SIGTERM; gives what it will have raised."""
    raised: list[BaseException] = []

    def tell() -> None:
        try:
            story()
        except BaseException as error:  # noqa: BLE001  # for the test's own thread
            raised.append(error)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=tell, daemon=True).start()
    return raised
