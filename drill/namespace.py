"""A namespace of one's own (Linux: user and mount), in which whoever is not root may mount.

What is mounted in it is seen by its processes alone, and goes with the last of them. The user is
root there by name only: outside it is the same user, with the same rights on the same files.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from pipeline.errors import Refused

_ENTER: Final = ("unshare", "--user", "--map-root-user", "--mount", "--")
_MARK: Final = "DRILL_NAMESPACE"
_SYS_ADMIN: Final = 21
"""The bit of the capability that mounting needs (capabilities(7))."""


class NoSmallDisk(Refused):
    """This machine lets us mount nothing."""


def may_mount() -> bool:
    """Tell whether this process has the capability to mount: as root, or in a namespace."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (capabilities,) = (line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(capabilities.split()[1], 16) >> _SYS_ADMIN & 1)


def inside(command: list[str]) -> list[str]:
    """Give the command that runs this one in a namespace in which it may mount.

    Raises NoSmallDisk where this machine gives us none.
    """
    with tempfile.TemporaryDirectory(prefix="loyalty-namespace-") as folder:
        # this try's mount goes with its namespace
        tried = [*_ENTER, "mount", "-t", "tmpfs", "-o", "size=1m", "loyalty-drill", folder]
        try:
            done = subprocess.run(tried, capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise refusal("there is no `unshare`, which is of util-linux") from error
    if done.returncode:
        raise refusal(done.stderr.strip() or f"unshare ended with {done.returncode}")
    # Java, and so Maven, takes the home of the user's number, which is root's there
    home = Path.home()
    maven = f"{os.environ.get('MAVEN_OPTS', '')} -Duser.home={home}".strip()
    return [*_ENTER, "env", f"HOME={home}", f"MAVEN_OPTS={maven}", f"{_MARK}=1", *command]


def enter(command: list[str]) -> None:
    """Become this command in a namespace in which it may mount; nothing where we may already.

    Raises NoSmallDisk where this machine gives us none.
    """
    if not may_mount():
        words = inside(command)
        os.execvp(words[0], words)  # noqa: S606 (no shell is wanted)


def entrance() -> str:
    """Give the words with which a command sees our mounts, from outside; empty where all do."""
    if _MARK not in os.environ:
        return ""
    return f"nsenter --user --mount --preserve-credentials --target {os.getpid()} "


def refusal(why: str) -> NoSmallDisk:
    """Say that nothing can be mounted, and what would help."""
    reason = why.splitlines()[0].rstrip(".")
    return NoSmallDisk(
        f"This machine lets us mount no small disk ({reason}); run the drill as root, in a"
        " container with the capability SYS_ADMIN, or where users may make namespaces (`unshare"
        " --map-root-user --mount true` tells)."
    )
