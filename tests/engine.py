"""A Docker engine: the machine's own, or one that the tests make in a folder of theirs."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.settings import ROOT

SCRIPTS = ROOT.parent / "shared" / "platform" / "docker"
MAKE_SECONDS = 900


def answers(environment: dict[str, str]) -> bool:
    """Tell whether there is an engine with compose."""
    try:
        commands = (["docker", "info"], ["docker", "compose", "version"])
        return all(
            subprocess.run(
                one, env=environment, capture_output=True, timeout=60, check=False
            ).returncode
            == 0
            for one in commands
        )
    except FileNotFoundError:
        return False


@contextmanager
def engine() -> Iterator[dict[str, str]]:
    """Give the environment in which `docker` finds an engine; one that was made is stopped.

    Where there is neither an engine nor the scripts that make one, it fails.
    """
    if answers(dict(os.environ)):
        yield dict(os.environ)
        return
    assert SCRIPTS.is_dir(), "no Docker engine answers, and nothing here makes one"
    with tempfile.TemporaryDirectory(prefix="loyalty-engine-") as root:
        environment = os.environ | {"DOCKER_CI_ROOT": root}
        _run("./get-engine.sh", environment)
        environment |= _sourced(Path(root) / "env.sh", environment)
        try:
            _run("./start-dockerd.sh", environment)
            _run("./make-base-image.sh", environment)
            yield environment
        finally:
            _run("./stop-dockerd.sh", environment)


def _run(script: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [script], cwd=SCRIPTS, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=MAKE_SECONDS,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}:\n{done.stdout[-3000:]}"


def _sourced(file: Path, environment: dict[str, str]) -> dict[str, str]:
    """Give what a shell's environment is after it has read a file."""
    done = subprocess.run(
        ["sh", "-c", '. "$1"; env -0', "sh", str(file)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    pairs = (entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)
    return dict(pairs)
