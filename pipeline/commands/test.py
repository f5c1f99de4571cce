"""`test`: unit tests, with format, lint and types, and integration tests on stacks of their own."""

import os
import subprocess
import sys
from contextlib import suppress
from threading import Thread
from typing import Annotated

import typer

from pipeline.endings import leaving
from pipeline.errors import LoyaltyError
from pipeline.progress import unseen
from pipeline.settings import ROOT


def test(
    unit: Annotated[
        bool, typer.Option("--unit", help="Without the servers: two to six minutes.")
    ] = False,
) -> None:
    """Run every check and test; the servers' ones use a data folder and ports of their own.

    Example: ./loyalty test
    """
    from pipeline.commands.processes import refuse_containers
    from pipeline.settings import read_settings

    # no image has the tests
    refuse_containers(read_settings(), "test", "`test` in the checkout, without --compose")
    from drill.leftovers import swept_folder

    if not unit:
        # the servers' jars come while the rest is checked; whoever needs them waits for them
        Thread(target=_fetch_jars, daemon=True).start()
    folders = ["tests/unit"] if unit else ["tests/unit", "tests/integration"]
    # two processes, for two cores: a third one costs more, by its idle servers, than it gains
    shared = ["-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder"]
    with leaving("no stack of the tests is left behind."), swept_folder() as folder:
        # a data folder's path has at most 80 letters, and pytest's own folders have many
        options = [*shared, "--instafail", "--durations=60", f"--basetemp={folder}/t"]
        tests = [sys.executable, "-m", "pytest", *options, *folders]
        variables = os.environ | {"TMPDIR": str(folder)}
        code = subprocess.run(tests, cwd=ROOT, env=variables, check=False).returncode
    if code:
        raise SystemExit(1 if code == 1 else code)


def _fetch_jars() -> None:
    """Fetch what is missing; what went wrong is said by the first test that needs it."""
    from cluster.jars import DRILL, resolve_jars

    with suppress(LoyaltyError):
        resolve_jars(unseen)
        resolve_jars(unseen, DRILL)
