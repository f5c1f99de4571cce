"""What a session of tests leaves when it is ended from outside: servers, mounts, folders."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from cluster.java import MARK


@contextmanager
def swept_folder() -> Iterator[Path]:
    """Make a temporary folder; at the end it goes, with every process that works in it.

    Its path is short: the sockets of the supervisords in it are limited to a hundred characters.
    """
    with TemporaryDirectory(prefix="lt-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        try:
            yield folder
        finally:
            for process in find_processes(folder):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            for mount in find_mounts(folder):
                subprocess.run(["umount", mount], check=False)


def find_processes(folder: Path) -> list[psutil.Process]:
    """Find the processes of stacks in the folder, those who would start others first."""
    found = [process for process in psutil.process_iter() if _is_in(process, folder)]
    return sorted(found, key=lambda process: process.create_time())


def find_mounts(folder: Path) -> list[str]:
    """Find what is mounted in the folder, the deepest first."""
    mounts = [partition.mountpoint for partition in psutil.disk_partitions(all=True)]
    return sorted((m for m in mounts if folder in Path(m).parents), reverse=True)


def _is_in(process: psutil.Process, folder: Path) -> bool:
    try:
        variables = process.environ()
        words = [*process.cmdline(), *(variables.get(name, "") for name in (MARK, "LOYALTY_DATA"))]
    except psutil.Error:
        return False
    return any(folder in Path(word).parents for word in words)
