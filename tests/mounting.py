"""Tests that mount: where this process may not, they run again in a namespace in which they may."""

import os
import subprocess
import sys

import pytest

from drill.namespace import inside, may_mount


def ran_inside(request: pytest.FixtureRequest, seconds: float) -> bool:
    """Run the test that asks in a namespace, where it has to pass; False where it may mount here.

    Raises NoSmallDisk where the machine gives us no namespace: the test has failed then.
    """
    if may_mount():
        return False
    test = f"{request.path}::{request.node.name}"
    done = subprocess.run(
        inside([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]),
        cwd=request.config.rootpath,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    return True
