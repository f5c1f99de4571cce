"""Small disks for whoever is not root: a namespace in which they are mounted."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drill import course, namespace
from drill.namespace import entrance, inside, may_mount
from drill.verdict import Count, Outcome
from pipeline.cli import app
from pipeline.settings import ROOT

FILL = """
import sys
from pathlib import Path
from drill.namespace import entrance, may_mount
from drill.room import Ballast, free, mounted
folder = Path(sys.argv[1])
assert may_mount()
with mounted(folder, 1, lambda: False):
    Ballast(folder).fill()
    print(free(folder), (folder / "ballast").stat().st_size, entrance())
"""
BECOME = """
from drill import namespace
namespace.may_mount = lambda: False
namespace.enter(["sh", "-c", "id -u; echo $$ $HOME $MAVEN_OPTS"])
"""


def has_none_and_needs_none() -> bool:
    """Tell whether this is root on a machine without namespaces: he mounts where he is."""
    done = subprocess.run(["unshare", "--user", "true"], capture_output=True, check=False)
    return done.returncode != 0 and may_mount()


def run(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_disk_is_mounted_and_filled_and_nobody_else_sees_it(tmp_path: Path) -> None:
    if has_none_and_needs_none():
        return
    folder = tmp_path / "kafka"
    with run(*inside([sys.executable, "-c", FILL, str(folder)])) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    free, size, *way_in = output.split()
    assert (free, size) == ("0", str(1 << 20))
    assert way_in[0] == "nsenter"
    assert list(folder.iterdir()) == []


def test_the_process_becomes_the_command_with_the_users_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_none_and_needs_none():
        return
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MAVEN_OPTS", "-Xmx1g")
    with run(sys.executable, "-c", BECOME) as process:
        output, _ = process.communicate(timeout=60)
    assert output == f"0\n{process.pid} {tmp_path} -Xmx1g -Duser.home={tmp_path}\n"


def test_who_may_mount_stays_where_he_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace, "may_mount", lambda: True)
    namespace.enter(["false"])
    assert entrance() == ""


@pytest.mark.parametrize(
    ("unshare", "says"),
    [
        (None, "there is no `unshare`, which is of util-linux"),
        ("printf 'not permitted.\\nSee dmesg.\\n' >&2; exit 1", "(not permitted);"),
        ("exit 3", "unshare ended with 3"),
    ],
)
def test_a_machine_that_gives_none_is_a_sentence(
    unshare: str | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if unshare:
        (tmp_path / "unshare").write_text(f"#!/bin/sh\n{unshare}\n")
        (tmp_path / "unshare").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(namespace, "may_mount", lambda: False)
    monkeypatch.setattr(course, "_run_one", lambda *_: Outcome([], Count()))
    done = CliRunner().invoke(app, ["drill", "disk"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert says in done.stderr
    assert "run the drill as root" in done.stderr
    assert done.stderr.count("\n") == 1


def test_only_the_drill_that_mounts_enters_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It becomes the same command; in the namespace it may mount, and goes on."""
    entered: list[list[str]] = []
    monkeypatch.setattr(namespace, "enter", entered.append)
    monkeypatch.setattr(course, "_run_one", lambda *_: Outcome([], Count()))
    monkeypatch.setattr(sys, "argv", ["loyalty", "drill", "disk", "--seed", "7"])
    for kind in ("all", *course.DRILLS):
        CliRunner().invoke(app, ["drill", kind, "--seed", "7"])
    assert entered == [[sys.executable, "-m", "pipeline", "drill", "disk", "--seed", "7"]]
    assert CliRunner().invoke(app, ["drill", "disk", "--only", "hbase"]).exit_code == 2
    assert len(entered) == 1
