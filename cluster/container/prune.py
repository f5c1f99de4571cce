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
    found: set[str] = set()
    wanted = [(Requirement(one), "") for one in requirements]
    while wanted:
        one, extra = wanted.pop()
        name = canonicalize_name(one.name)
        if one.marker and not one.marker.evaluate({"extra": extra}):
            continue
        if name not in found:
            found.add(name)
        for extra in ("", *one.extras):
            needs = [Requirement(need) for need in distribution(name).requires or []]
            wanted += [(need, extra) for need in needs
                       if canonicalize_name(need.name) not in found
                       and (not need.marker or need.marker.evaluate({"extra": extra}))]  # fmt: skip
    return found


def main() -> None:
    """Uninstall the rest."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    needed = closure(project["dependencies"])
    rest = {canonicalize_name(one.metadata["Name"]) for one in distributions()} - needed
    command = [sys.executable, "-m", "pip", "uninstall", "--yes", "--quiet"]
    subprocess.run([*command, *sorted(rest - {"pip"}), "pip"], check=True)


if __name__ == "__main__":
    main()
