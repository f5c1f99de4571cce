"""Runs a Spark job in a process of its own: its memory goes back when it ends."""

import json
import subprocess
import sys
from typing import Any

from batch.lifeline import held
from cluster.java import MARK
from cluster.spark import environment
from pipeline.errors import LoyaltyError, Refused
from pipeline.places import Places
from pipeline.settings import ROOT, Settings


def run_job(
    settings: Settings, places: Places, arguments: list[str], so_that: str
) -> dict[str, Any]:
    """Run `python -m batch ARGUMENTS` and give its result; its log is batch.log.

    The job never outlives this process: what it changes is behind locks that this one holds.

    so_that: the sentence for a job that ended without a result: how things stand, and what to do.
    Raises Refused with the job's own sentence.
    """
    places.logs.mkdir(parents=True, exist_ok=True)
    log = places.logs / "batch.log"
    mark = {MARK: str(settings.data)}
    with log.open("ab") as stream, held() as lifeline:
        done = subprocess.run(
            [sys.executable, "-m", "batch", *arguments], cwd=ROOT,
            env=settings.environment() | environment(settings) | mark,
            stdin=lifeline, stdout=subprocess.PIPE, stderr=stream, check=False,
        )  # fmt: skip
    try:
        result: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise LoyaltyError(
            f"The Spark job ended without a result (exit code {done.returncode}); {log} says why. "
            f"{so_that}"
        ) from error
    if "error" in result:
        raise Refused(result["error"])
    return result
