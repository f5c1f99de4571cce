"""Format, lint and types: what a commit is checked for, once more and of the whole project."""

import subprocess
import sys

import pytest

from pipeline.settings import ROOT


@pytest.mark.parametrize("words", ["ruff format --check .", "ruff check .", "mypy"])
def test_nothing_is_found(words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *words.split()],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
