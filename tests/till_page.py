"""docs/till.md: its two examples of a till, as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

from pipeline.settings import ROOT

PAGE = ROOT / "docs" / "till.md"
INTERPRETERS = {"till.py": sys.executable, "till.sh": "sh"}


def example(name: str) -> str:
    """Give a block of code of the page, by the name in the comment before it."""
    found = re.search(
        rf"^<!-- example: {re.escape(name)} -->\n```\w+\n(.*?)^```$",
        PAGE.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert found, f"{PAGE.name} has no example {name}"
    return found[1]


def command(name: str, folder: Path, *values: str) -> list[str]:
    """Give the command that runs an example on a folder."""
    zeroth = ["till.sh"] if name == "till.sh" else []
    return [INTERPRETERS[name], "-c", example(name), *zeroth, str(folder), *values]


def run(name: str, folder: Path, *values: str) -> list[Path]:
    """Run an example on a folder; gives the files that it made."""
    before = set(folder.iterdir())
    subprocess.run(command(name, folder, *values), check=True)
    return sorted(set(folder.iterdir()) - before)
