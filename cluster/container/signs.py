"""Signs of this life of a container, for Docker's health check (bin/healthy): two small files in
its home, which is in memory and begins empty each time.
"""

import os
from pathlib import Path


def answered() -> Path:
    """Give the file whose time is that of the component's last real answer."""
    return Path.home() / "answered"


def looks() -> Path:
    """Give the file with the process that asks; its time is that of the last look."""
    return Path.home() / "looks"


def say_answered() -> None:
    """Say that the component works."""
    answered().touch()


def say_looks() -> None:
    """Say that somebody looks, whatever it is that he will see."""
    looks().write_text(str(os.getpid()), encoding="ascii")
