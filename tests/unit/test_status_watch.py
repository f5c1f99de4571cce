"""`status --watch` on a terminal of its own, and without one."""

import os
import pty
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.settings import ROOT
from tests.waiting import wait_until


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Mean a data folder that is not there."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("LOYALTY_")}
    return inherited | {"LOYALTY_DATA": str(tmp_path / "data"), "TERM": "xterm", "COLUMNS": "80",
                        "LINES": "40"}  # fmt: skip


def test_it_draws_on_the_other_screen_until_ctrl_c(environment: dict[str, str]) -> None:
    terminal, process_end = pty.openpty()
    os.set_blocking(terminal, False)
    command = [str(ROOT / "loyalty"), "status", "-w"]
    process = subprocess.Popen(
        command, env=environment, stdin=process_end, stdout=process_end, stderr=process_end
    )
    os.close(process_end)
    shown = b""

    def has_drawn(times: int) -> bool:
        nonlocal shown
        with suppress(OSError):  # nothing there yet, or nobody at the other end any more
            shown += os.read(terminal, 65_536)
        return shown.count(b"Kafka broker") >= times

    try:
        wait_until("it is drawn again and again", lambda: has_drawn(2), 120)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        has_drawn(0)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    assert shown.index(b"\x1b[?1049h") < shown.index(b"Kafka broker")
    assert b"\x1b[?1049l" in shown, "the screen of before is back"
    assert b"\x1b[?25h" in shown, "so is the cursor"
    assert b"Traceback" not in shown


@pytest.mark.parametrize("options", [["--watch"], ["-w", "--json"]])
def test_it_is_refused_with_a_sentence(environment: dict[str, str], options: list[str]) -> None:
    done = subprocess.run(
        [str(ROOT / "loyalty"), "status", *options], env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: --watch ")
    assert not done.stdout
