"""A line is in a file whole, or not even in part."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.settings import ROOT
from producer.growing import NoRoom, last_line_end, room, take_back

LIMITED = """
import os, resource, signal, sys
from producer.growing import append
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
size = append(file, 0, b"12345\\n")
try:
    append(file, size, b"67890\\n")
except OSError as error:
    print(error.errno, os.fstat(file).st_size)
"""


def test_what_was_written_in_part_is_taken_back(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "f")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(errno.ENOSPC), "6"]
    assert (tmp_path / "f").read_bytes() == b"12345\n"


@pytest.mark.parametrize("left", [b"", b"tor", b"one\n", b"one\ntor", b"one\n" + b"x" * 200_000])
def test_half_a_line_is_taken_back(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(left)
    file = os.open(path, os.O_RDWR)
    try:
        end = last_line_end(file)
        assert end == left.rfind(b"\n") + 1
        assert take_back(file) == (end < len(left))
        assert not take_back(file)
    finally:
        os.close(file)
    assert path.read_bytes() == left[:end]


def test_a_full_disk_is_a_sentence_and_any_other_error_passes(tmp_path: Path) -> None:
    words = r"No room for another line in .*make room on that disk"
    with pytest.raises(NoRoom, match=words), room("line", tmp_path):
        raise OSError(errno.ENOSPC, "full")
    with pytest.raises(PermissionError), room("line", tmp_path):
        raise PermissionError(errno.EACCES, "no")
