"""TAB: what a shell offers, how quickly, and how the completion comes to its place."""

import os
import pty
import subprocess
import time
from pathlib import Path
from select import select

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.completion import Node, make_tree, offers, read_tree
from pipeline.order import REASONS
from pipeline.settings import ROOT


@pytest.fixture(scope="module")
def tree() -> Node:
    return make_tree()


def values(tree: Node, line: str) -> list[str]:
    *words, last = line.split(" ")
    return [value for value, _ in offers(tree, words, last)]


def test_every_command_and_option_is_offered(tree: Node) -> None:
    commands: dict[str, object] = vars(get_command(app))["commands"]
    assert set(values(tree, "")) == set(commands)
    for name, command in commands.items():
        options = {o for p in vars(command)["params"] for o in p.opts if o.startswith("-")}
        assert set(values(tree, f"{name} -")) == {*options, "--help"}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("dr", ["drill"]),
        ("logs name", ["namenode"]),
        ("logs -n 20 hive", ["hiveserver2"]),
        ("logs kafka ", []),
        ("drill --seed 4 ou", ["outage"]),
        ("drill kills --only flum", ["flume"]),
        ("quarantine ", ["replay"]),
        ("quarantine replay --reason FU", ["FUTURE"]),
        ("quarantine replay --reason = FU", ["FUTURE"]),  # as bash cuts it
        ("quarantine replay --reason=FU", ["--reason=FUTURE"]),
        ("quarantine replay --reason ITEM --y", ["--yes"]),
        ("customers ", ["load"]),
        ("customers load ", []),  # the shell offers files
        ("verify --fr", ["--from"]),
        ("nonsense ", []),
        ("completion ", ["bash", "zsh", "fish"]),
    ],
)
def test_what_is_offered(tree: Node, line: str, offered: list[str]) -> None:
    assert values(tree, line) == offered


def test_reasons_of_quarantine(tree: Node) -> None:
    assert values(tree, "quarantine replay --reason ") == list(REASONS)


def test_the_tree_is_kept_until_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("pipeline.completion.make_tree", lambda: {"made": "once"})
    assert read_tree() == {"made": "once"}
    monkeypatch.setattr("pipeline.completion.make_tree", lambda: {"made": "twice"})
    assert read_tree() == {"made": "once"}
    monkeypatch.setattr("pipeline.completion.MADE_FROM", ("pipeline/order.py",))
    assert read_tree() == {"made": "twice"}
    (kept,) = (tmp_path / "loyalty").glob("*.json")
    kept.write_text("{")
    assert read_tree() == {"made": "twice"}


def test_bash_completes_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    read_tree()
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "dumb", "PS1": "$ "}
    with subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"], cwd=ROOT, env=environment,
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    ) as shell:  # fmt: skip
        os.close(slave)
        os.write(master, b". pipeline/shells/completion.bash; echo re''ady\n")
        read_until(master, b"ready\r\n")
        os.write(master, b"./loyalty quarantine replay --rea\t")
        read_until(master, b"--reason ")
        os.write(master, b"FUT\t")
        read_until(master, b"FUTURE ")
        os.write(master, b"\x15exit\n")
        shell.wait(timeout=30)
        os.close(master)
    before = os.times()
    done = subprocess.run(
        [ROOT / "loyalty", "logs", "name"], env=os.environ | {"_LOYALTY_COMPLETE": "fish"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    after = os.times()
    assert done.stdout == "namenode\n"
    used = after.children_user + after.children_system
    assert used - before.children_user - before.children_system < 0.3


def read_until(master: int, words: bytes) -> None:
    shown, end = b"", time.monotonic() + 30
    while words not in shown:
        assert select([master], [], [], end - time.monotonic())[0], shown
        shown += os.read(master, 4096)


@pytest.mark.parametrize(
    ("shell", "script", "reader"),
    [
        ("bash", ".local/share/loyalty/completion.bash", ".bashrc"),
        ("zsh", ".local/share/loyalty/completion.zsh", ".zshrc"),
        ("fish", ".config/fish/completions/loyalty.fish", None),
    ],
)
def test_one_command_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, shell: str, script: str, reader: str | None
) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    if reader:
        (tmp_path / reader).write_text("alias ll='ls -l'")
    for _ in range(2):
        done = CliRunner().invoke(app, ["completion", shell, "--install"])
        assert done.exit_code == 0, done.output
        assert "to undo it: rm " in done.stdout
    printed = CliRunner().invoke(app, ["completion", shell]).stdout
    assert (tmp_path / script).read_text() == printed
    if reader:
        first, second = (tmp_path / reader).read_text().splitlines()
        assert first == "alias ll='ls -l'"
        assert second.startswith(f". '{tmp_path / script}'")
