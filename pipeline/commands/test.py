"""`test`: format, lint, types, unit tests, and integration tests on a stack of their own."""

import subprocess
import sys
from typing import Annotated

import typer

from pipeline.console import err
from pipeline.errors import LoyaltyError
from pipeline.settings import ROOT

CHECKS = (
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("ruff", ("ruff", "check", ".")),
    ("mypy", ("mypy",)),
)


def test(
    unit: Annotated[bool, typer.Option("--unit", help="Without the servers: two minutes.")] = False,
) -> None:
    """Run every check and test; the servers' ones use a data folder and ports of their own.

    Example: ./loyalty test
    """
    for title, arguments in CHECKS:
        err.print(f"[bold]{title}[/]")
        if subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, check=False).returncode:
            raise LoyaltyError(f"{title} found something; mend it and run the test again.")
    folders = ["tests/unit"] if unit else ["tests/unit", "tests/integration"]
    err.print("[bold]pytest[/]")
    tests = [sys.executable, "-m", "pytest", "--durations=10", *folders]
    if code := subprocess.run(tests, cwd=ROOT, check=False).returncode:
        raise SystemExit(1 if code == 1 else code)
