"""Ctrl-C on a real stack: what a command says that it left is what is there."""

import re
import signal
from pathlib import Path

from drill.stack import OwnStack
from tests.waiting import wait_until


def stopped(stack: OwnStack, log: Path, *arguments: str, at: str) -> str:
    """Start a command, press Ctrl-C as soon as it has said `at`; gives its last sentence."""
    process = stack.start(*arguments, log=log)
    wait_until(f"it says {at}", lambda: re.search(at, log.read_text()) is not None)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130, log.read_text()
    assert "Traceback" not in log.read_text()
    return log.read_text().splitlines()[-1].removeprefix("stopped by Ctrl-C: ")


def test_produce_and_verify(stack: OwnStack, tmp_path: Path) -> None:
    key = tmp_path / "key.tsv"
    arguments = ["produce", "--rate", "200/s", "--duration", "600", "--answer-key", str(key)]
    process = stack.start(*arguments, log=tmp_path / "produce.log")
    wait_until("it writes", lambda: key.exists() and key.stat().st_size > 10_000)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    said = (tmp_path / "produce.log").read_text().splitlines()[-1]
    lines = re.search(r"([\d,]+) whole lines were written", said)
    assert lines is not None, said
    assert abs(len(key.read_text().splitlines()) - 1 - int(lines[1].replace(",", ""))) <= 1
    # what it said is written reaches every store
    stack.ok("verify", "--wait", "--answer-key", str(key))


def test_a_log_that_is_followed(stack: OwnStack, tmp_path: Path) -> None:
    said = stopped(stack, tmp_path / "said", "logs", "namenode", "-f", at=r"\w+")
    assert said == "the component runs on."
    assert stack.supervisor.processes()["namenode"].pid
