"""`status --watch` on a terminal of its own, and without one."""

import io
import os
import pty
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from cluster.stack import Stack
from pipeline.commands import status
from pipeline.programme import read_programme
from pipeline.settings import ROOT, Settings
from tests.unit.status_document import TITLES, document, with_component
from tests.waiting import wait_until

TERMINAL_ROWS = 24
HOME = "\x1b[H"
"""What Rich writes before each drawing on the other screen."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Mean a data folder that is not there."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("LOYALTY_")}
    return inherited | {"LOYALTY_DATA": str(tmp_path / "data"), "TERM": "xterm", "COLUMNS": "80",
                        "LINES": str(TERMINAL_ROWS)}  # fmt: skip


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


def watched(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], looks: int = 1
) -> tuple[list[list[str]], list[float]]:
    """Watch a document, so many looks long; gives the rows of each drawing, and the pauses."""
    pauses: list[float] = []

    class Pause:
        def wait(self, seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == looks:
                raise KeyboardInterrupt

    console = Console(
        file=io.StringIO(), width=80, height=TERMINAL_ROWS, force_terminal=True, soft_wrap=True,
        highlight=False, color_system=None,
    )  # fmt: skip
    monkeypatch.setattr(status, "out", console)
    monkeypatch.setattr(status, "threading", SimpleNamespace(Event=Pause))
    monkeypatch.setattr("cluster.report.describe", lambda _stack: found)
    settings = Settings()
    status.watch_status(Stack(settings, read_programme(settings.programme)))
    assert isinstance(console.file, io.StringIO)
    drawings = [
        [row.rstrip() for row in re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", part).splitlines()]
        for part in console.file.getvalue().split(HOME)
    ]
    return [rows for rows in drawings if any(rows)], pauses


def test_it_looks_every_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    drawings, pauses = watched(monkeypatch, document(), looks=3)
    assert len(drawings) == 3
    assert pauses == [2, 2, 2]


def test_a_terminal_of_24_rows_shows_all_of_a_healthy_stack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ((*rows, last),), _ = watched(monkeypatch, document())
    assert len(rows) < TERMINAL_ROWS
    assert last.startswith("refresh     3 min ago, ok")
    begun = [row.partition(" ")[0] for row in rows]
    assert {"Kafka", "healthy,", "path", "quarantine", "disk", "now", "a", "open"} <= set(begun)


def test_with_a_warning_the_components_are_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "its process is stopped by a signal; " + "`kill -CONT 7` lets it go on, " * 3
    found = with_component("kafka", state="silent", restarts=2, reason=reason.strip(", "))
    (rows,), _ = watched(monkeypatch, found)
    text = "\n".join(rows)
    assert len(rows) <= TERMINAL_ROWS
    assert "silent      Kafka broker\n" in text
    assert re.search(r"^answering +HDFS NameNode, HDFS DataNode, HBase,", text, re.MULTILINE)
    assert text.count("lets it go on") == 3, "a long sentence is folded"
    for label in ("not healthy, ", "path  ", "newest  ", "quarantine  ", "now  ", "a day  ",
                  "open  ", "refresh  "):  # fmt: skip
        assert f"\n{label}" in text


def test_of_too_many_warnings_the_first_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    found = document(healthy=False)
    for component in found["components"]:
        component.update(state="silent", reason="no answer within 1.2 s, nor at any time before")
    (rows,), _ = watched(monkeypatch, found | {"gaps": ["Partition 0 was not read."]})
    text = "\n".join(rows)
    assert len(rows) == TERMINAL_ROWS
    assert [row for row in rows if row.startswith("kafka: no answer within 1.2 s")]
    told = sum(any(row.startswith(f"{name}: ") for row in rows) for name in TITLES)
    assert f"\n{len(TITLES) + 1 - told} lines more; `./loyalty status` has all\n" in text
    assert "\na day  " in text
    assert rows[-1].startswith("refresh  ")


@pytest.mark.parametrize("options", [["--watch"], ["-w", "--json"]])
def test_it_is_refused_with_a_sentence(environment: dict[str, str], options: list[str]) -> None:
    done = subprocess.run(
        [str(ROOT / "loyalty"), "status", *options], env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: --watch ")
    assert not done.stdout
