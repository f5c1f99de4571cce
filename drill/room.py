"""Small disks: file systems in memory under single folders of a stack, and ballast that fills them.

Mounting needs root, in a container that may mount, or a namespace of one's own: drill.namespace.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.stamp import write_stamp
from drill.namespace import refusal
from drill.stack import OwnStack, describe, new_folder, running
from pipeline.errors import LoyaltyError
from pipeline.programme import read_programme

SMALL: Final[Mapping[str, int]] = {"orders-log": 64, "kafka": 192, "hdfs": 1536}
"""MiB by folder of the data folder. HDFS wants 768, see cluster/disk.py."""
_STEPS: Final = (1 << 20, 4096, 1)


@contextmanager
def small_stack(is_kept: Callable[[Path], bool]) -> Iterator[OwnStack]:
    """Start an empty stack of which some folders (SMALL) are small disks.

    At the end it goes down, with its data; where `is_kept` says so then, the data stays, and is
    where the disks were. Raises NoSmallDisk where this machine does not let us mount, LoyaltyError
    where the stack does not start or go down, or a disk cannot be taken away.
    """
    with ExitStack() as ends:
        data = ends.enter_context(new_folder(is_kept))
        stack = describe(data)
        for name, mib in SMALL.items():
            ends.enter_context(mounted(data / name, mib, lambda: is_kept(data)))
        # `up` takes no folder that holds something, unless it has the stamp
        zone = read_programme(stack.settings.programme).time_zone
        write_stamp(stack.settings, zone, "empty")
        yield ends.enter_context(running(stack, "--empty"))


@contextmanager
def mounted(folder: Path, mib: int, is_kept: Callable[[], bool]) -> Iterator[None]:
    """Make a folder that is a small disk; where `is_kept` says so, its files stay at the end."""
    folder.mkdir(mode=0o750)
    options = f"size={mib}m,mode=750"
    if why := _fault_of("mount", "-t", "tmpfs", "-o", options, "loyalty-drill", str(folder)):
        raise refusal(why)
    try:
        yield
    finally:
        copy = folder.with_suffix(".kept")
        if is_kept():
            shutil.copytree(folder, copy)
        if why := _fault_of("umount", "--lazy", str(folder)):
            raise LoyaltyError(f"The small disk {folder} is still mounted ({why}); `umount` it.")
        if copy.exists():
            folder.rmdir()
            copy.rename(folder)


def _fault_of(*command: str) -> str:
    """Run a command; gives why it failed, empty where it did not."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stderr.strip() or f"code {done.returncode}") if done.returncode else ""


@dataclass(frozen=True, slots=True)
class Ballast:
    """A file that takes all the room of the disk under a folder."""

    folder: Path

    @property
    def _file(self) -> Path:
        return self.folder / "ballast"

    def fill(self) -> None:
        """Take the room to the last byte, again where a server has given some back."""
        with self._file.open("ab", buffering=0) as file:
            for step in _STEPS:
                try:
                    while file.write(bytes(step)) == step:
                        pass
                except OSError:
                    continue
        if free(self.folder) > 0:
            raise LoyaltyError(f"{self.folder} could not be filled")

    def remove(self) -> None:
        """Give all of it back."""
        self._file.unlink()


def free(folder: Path) -> int:
    """Give the bytes that are free on the disk of a folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
