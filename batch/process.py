"""Runs a Spark job in a process of its own: its memory goes back when it ends."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

from batch.lifeline import held
from cluster.java import MARK
from cluster.spark import environment
from pipeline.errors import LoyaltyError, Refused, Unavailable
from pipeline.places import Places
from pipeline.progress import Begin, Progress, begin_unseen, unseen
from pipeline.settings import ROOT, Settings

SAYS: Final = "says"
"""The key of a line that is a sentence for the user; the last line is the job's result."""
BEGINS: Final = "begins"
"""The key of a line with a title and a unit: what is done from now on."""
DID: Final = "did"
"""The key of a line with how much of it is done, of how much."""


def run_job(
    settings: Settings,
    places: Places,
    arguments: list[str],
    so_that: str,
    told: Callable[[str], None] = lambda _: None,
    *,
    begin: Begin = begin_unseen,
) -> dict[str, Any]:
    """Run `python -m batch ARGUMENTS` and give its result; its log is batch.log.

    The job never outlives this process: what it changes is behind locks that this one holds.

    told: is given what the job says meanwhile; begin: what it does.
    so_that: the sentence for a job that ended without a result: how things stand, and what to do.
    Raises an error of the job's own kind, with its sentence; where a server went away amid the
    work, also with so_that, for then something may have been changed.
    """
    places.logs.mkdir(parents=True, exist_ok=True)
    log = places.logs / "batch.log"
    put_aside(log, settings)
    mark = {MARK: str(settings.data)}
    with log.open("ab") as stream, held() as lifeline, subprocess.Popen(
        [sys.executable, "-m", "batch", *arguments], cwd=ROOT,
        env=settings.environment() | environment(settings) | mark,
        stdin=lifeline, stdout=subprocess.PIPE, stderr=stream, text=True,
    ) as job:  # fmt: skip
        try:
            result = result_of(job.stdout or (), told, begin)
        except BaseException:
            job.kill()
            raise
    if result is None:
        raise LoyaltyError(
            f"The Spark job ended without a result (exit code {job.returncode}); {log} says why."
            f" {so_that}"
        )
    if "error" in result:
        raise error_of(result, so_that)
    return result


def put_aside(log: Path, settings: Settings) -> None:
    """Begin a new log where this one is as long as the settings allow, as a server's is."""
    if log.exists() and log.stat().st_size >= settings.server_log_mib << 20:
        RotatingFileHandler(log, backupCount=settings.server_log_files, delay=True).doRollover()


def result_of(
    output: Iterable[str], told: Callable[[str], None], begin: Begin = begin_unseen
) -> dict[str, Any] | None:
    """Read a job's lines as they come: sentences are told; gives its result, None for none."""
    result: dict[str, Any] | None = None
    progress: Progress = unseen
    for line in output:
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if isinstance(found, dict) and found.keys() == {SAYS}:
            told(found[SAYS])
        elif isinstance(found, dict) and found.keys() == {BEGINS}:
            progress = begin(*found[BEGINS])
        elif isinstance(found, dict) and found.keys() == {DID}:
            progress(*found[DID])
        else:
            result = found if isinstance(found, dict) else None
    return result


def error_of(result: dict[str, Any], so_that: str) -> LoyaltyError:
    """Give the error that a job ended with (error: its sentence; kind: Refused or another)."""
    if result["kind"] == Refused.__name__:
        return Refused(result["error"])
    kind = Unavailable if result["kind"] == Unavailable.__name__ else LoyaltyError
    return kind(f"{result['error']} {so_that}")
