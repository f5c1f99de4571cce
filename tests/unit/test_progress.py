"""What a terminal shows: progress, and colours unless nobody wants them; and what a pipe has."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batch.process import result_of
from drill.stack import describe as describe_stack
from pipeline.progress import Progress, describe, working
from pipeline.settings import ROOT

SEVERAL = """
import sys
from pathlib import Path
from pipeline.cli import app
for words in (["--help"], ["produce", "--help"], ["nonsense"], ["status"],
              ["produce", "--count", "6000", "--out", sys.argv[1]]):
    try:
        app(words, prog_name="./loyalty")
    except SystemExit:
        pass
"""


def on_a_terminal(tmp_path: Path, **variables: str) -> str:
    """Run several commands of a stack that is down on a terminal; gives all that was shown."""
    master, slave = pty.openpty()
    inherited = describe_stack(tmp_path / "var").environment | {"COLUMNS": "80"}
    for name in ("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS"):
        inherited.pop(name, None)
    with subprocess.Popen(
        [sys.executable, "-c", SEVERAL, str(tmp_path / "out")], cwd=ROOT, env=inherited | variables,
        stdin=slave, stdout=slave, stderr=slave,
    ) as process:  # fmt: skip
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 65_536):
                shown += piece
        except OSError:  # Linux: the other side is closed
            pass
        os.close(master)
        assert process.wait(timeout=60) == 0, shown
    return shown.decode()


def test_a_terminal_has_colours_and_a_bar(tmp_path: Path) -> None:
    shown = on_a_terminal(tmp_path, TERM="xterm-256color")
    assert "\x1b[31merror:\x1b[0m" in shown
    assert "of 6,000 orders, " in shown
    assert " left" in shown


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_no_escape_where_none_is_wanted(tmp_path: Path, variables: dict[str, str]) -> None:
    shown = on_a_terminal(tmp_path, **variables)
    assert "error: No such command 'nonsense'" in shown
    assert "6,000 orders, " in shown
    assert "not running" in shown
    assert not set(shown.replace("\r\n", "\n")) & set(map(chr, range(32))) - {"\n"}


def test_a_pipe_has_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with working("HDFS raw", "lines") as tell:
        for second in range(26):
            now = 1000.0 + second
            tell(100 * second, 5000)
    printed, said = capsys.readouterr()
    assert printed == ""
    assert said.splitlines() == [
        "HDFS raw: 1,000 of 5,000 lines, 100/s, 0:00:40 left",
        "HDFS raw: 2,000 of 5,000 lines, 100/s, 0:00:30 left",
    ]


@pytest.mark.parametrize(
    ("done", "total", "unit", "seconds", "words"),
    [
        (500, None, "rows", 5, "500 rows, 100/s, 0:00:05 so far"),
        (0, 10, "steps", 0, "0 of 10 steps, 0:00:00 so far"),
        (3, 12, "steps", 6, "3 of 12 steps, 30/min, 0:00:18 left"),
        (2_000_000, 4_000_000, "bytes", 2, "2.0 MB of 4.0 MB, 1.0 MB/s, 0:00:02 left"),
        (700, 600, "lines", 7, "700 of 600 lines, 100/s, 0:00:00 left"),
    ],
)
def test_progress_in_words(
    done: int, total: int | None, *, unit: str, seconds: float, words: str
) -> None:
    assert describe(done, total, unit, seconds) == words


def test_a_million_lines_cost_nothing() -> None:
    begun = time.process_time()
    with working("lines", "lines") as tell:
        for done in range(1_000_000):
            tell(done, 1_000_000)
    assert time.process_time() - begun < 2


def test_what_a_job_does_is_told_meanwhile() -> None:
    did: list[object] = []

    def begin(title: str, unit: str) -> Progress:
        did.append((title, unit))
        return lambda done, total: did.append((done, total))

    output = ['{"did": [1, 2]}', '{"begins": ["raw", "lines"]}', '{"did": [3, null]}', '{"ok": 1}']
    assert result_of(output, did.append, begin) == {"ok": 1}
    assert did == [("raw", "lines"), (3, None)]
