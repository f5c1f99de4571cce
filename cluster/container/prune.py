"""`python cluster/container/prune.py`: leave in the image's Python what the product needs.

The lock is of everything, tests included; what pyproject.toml's own dependencies do not need, and
pip itself, is uninstalled.
"""

import subprocess
import sys
import tomllib
from importlib.metadata import distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parent.parent.parent / "pyproject.toml"


def closure(requirements: list[str]) -> set[str]:
    """Give the names of the distributions that are needed for these, themselves included."""
    seen: set[tuple[str, frozenset[str]]] = set()
    wanted = [(Requirement(one), "") for one in requirements]
    while wanted:
        one, extra = wanted.pop()
        asked = canonicalize_name(one.name), frozenset(one.extras)
        if asked in seen or (one.marker and not one.marker.evaluate({"extra": extra})):
            continue
        seen.add(asked)
        needs = [Requirement(need) for need in distribution(one.name).requires or []]
        wanted += [(need, extra) for need in needs for extra in ("", *one.extras)]
    return {name for name, _ in seen}


def main() -> None:
    """Uninstall the rest."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    needed = closure(project["dependencies"])
    rest = {canonicalize_name(one.metadata["Name"]) for one in distributions()} - needed
    command = [sys.executable, "-m", "pip", "uninstall", "--yes", "--quiet"]
    subprocess.run([*command, *sorted(rest - {"pip"}), "pip"], check=True)


if __name__ == "__main__":
    main()
