"""What a compiled class has: the callers of one that ours stands for must find the same."""

import subprocess
from pathlib import Path


def members(folder: Path, name: str) -> set[str]:
    """Give what a class has that its package can call; folder: of classes, or a jar."""
    command = ["javap", "-package", "-cp", str(folder), name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {line.strip() for line in done.stdout.splitlines() if line.endswith(";")}
