"""`completion`: TAB completes commands, options and values, in bash, zsh and fish."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from pipeline.completion import read_tree
from pipeline.console import out
from pipeline.endings import leaving

SCRIPTS: Final = Path(__file__).resolve().parent.parent / "shells"


class Shell(StrEnum):
    """The shells that there is a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@leaving("`completion SHELL --install` goes on where it stopped.")
def completion(
    shell: Annotated[Shell, typer.Argument(help="The shell that you use.")],
    install: Annotated[
        bool, typer.Option("--install", help="Put it where the shell finds it.")
    ] = False,
) -> None:
    """Print the script that completes ./loyalty with TAB, or install it for this user.

    Example: ./loyalty completion bash --install
    """
    from pipeline.commands.processes import refuse_containers
    from pipeline.settings import read_settings

    refuse_containers(read_settings(), "completion", "`completion` in the checkout, on the host")
    script = (SCRIPTS / f"completion.{shell}").read_text(encoding="utf-8")
    if not install:
        out.print(script, markup=False, end="")
        return
    target, reader = places(shell)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(script, encoding="utf-8")
    read_tree()  # so that the first TAB is as quick as the others
    out.print(f"the completion is in {target}", markup=False)
    undo = f"rm {target}"
    if reader is not None:
        line = f". '{target}'  # completion of ./loyalty"
        said = "has the line already" if not add_line(reader, line) else "has a new line at its end"
        out.print(f"{reader} {said}, which reads it", markup=False)
        undo += f", and take the line with {target.name} out of {reader}"
    out.print(f"open a new {shell} to use it; to undo it: {undo}", markup=False)


def places(shell: Shell) -> tuple[Path, Path | None]:
    """Give where a shell's script goes, and the file that has to read it; fish finds its own."""
    home = Path.home()
    if shell is Shell.FISH:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return base / "fish" / "completions" / "loyalty.fish", None
    base = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    target = base / "loyalty" / f"completion.{shell}"
    if shell is Shell.ZSH:
        return target, Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
    return target, home / ".bashrc"


def add_line(file: Path, line: str) -> bool:
    """Add a line at the end of a file, unless it is there; tells whether it was added."""
    text = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
    if line in text.splitlines():
        return False
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"{'' if text.endswith(chr(10)) or not text else chr(10)}{line}\n")
    return True
