"""What a session of tests leaves is found by its folder, and ended."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cluster.java import MARK
from drill.leftovers import find_mounts, find_processes, swept_folder

_SLEEP = [sys.executable, "-c", "import time; time.sleep(300)"]


def start(*words: str, **variables: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*_SLEEP, *words], env=os.environ | variables)


def test_who_works_in_the_folder_is_ended_and_nobody_else(tmp_path: Path) -> None:
    outside = start(str(tmp_path / "key.tsv"))
    try:
        with swept_folder() as folder:
            inside = [
                start(str(folder / "stack" / "supervisord.conf")),
                start(**{MARK: str(folder / "stack")}),
                start(LOYALTY_DATA=str(folder / "stack")),
            ]
            found = [process.pid for process in find_processes(folder)]
            assert found == [process.pid for process in inside]
            (folder / "stack").mkdir()
        assert [process.wait(10) for process in inside] == [-9] * 3
        assert outside.poll() is None
        assert not folder.exists()
    finally:
        outside.kill()
        outside.wait()


def test_it_ends_them_when_it_is_broken_off() -> None:
    started = []

    def broken_off() -> None:
        with swept_folder() as folder:
            started.append(start(str(folder / "stack")))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert started[0].wait(10) == -9


def test_mounts_below_the_folder_the_deepest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    class Partition:
        def __init__(self, mountpoint: str) -> None:
            self.mountpoint = mountpoint

    mounts = ["/", "/lt-1/stack", "/lt-1", "/lt-10/stack", "/lt-1/stack/hdfs"]
    monkeypatch.setattr(
        psutil, "disk_partitions", lambda **_: [Partition(mount) for mount in mounts]
    )
    assert find_mounts(Path("/lt-1")) == ["/lt-1/stack/hdfs", "/lt-1/stack"]
