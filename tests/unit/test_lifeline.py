"""A job ends with the command that waits for it, also when that is killed."""

import subprocess
import sys

import psutil

from pipeline.settings import ROOT

JOB = """
import sys, time
from batch.lifeline import end_with_parent
end_with_parent()
time.sleep(float(sys.argv[1]))
"""
COMMAND = """
import subprocess, sys
from batch.lifeline import held
with held() as lifeline:
    done = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdin=lifeline)
    print(done.pid, flush=True)
    sys.exit(done.wait())
"""


def _start(seconds: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMAND, JOB, seconds]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_killed_command_takes_its_job_along() -> None:
    with _start("60") as command:
        assert command.stdout is not None
        job = psutil.Process(int(command.stdout.readline()))
        assert job.is_running()
        command.kill()
    job.wait(timeout=20)


def test_a_job_that_ends_by_itself_ends_well() -> None:
    with _start("0.2") as command:
        assert command.wait(timeout=30) == 0
