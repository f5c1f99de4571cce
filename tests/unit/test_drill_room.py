"""Small disks and a till's pace, without a stack."""

import subprocess
import time
from pathlib import Path

import pytest

from drill.disk import Pace, ended_by_itself
from drill.load import Till, shortfall
from drill.namespace import NoSmallDisk
from drill.room import mounted
from drill.stack import describe
from pipeline.errors import LoyaltyError
from tests.mounting import ran_inside


def test_a_disk_that_cannot_be_taken_away_is_not_one_that_could_not_be_made(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The drill's result must not be thrown away for it."""
    if ran_inside(request, seconds=60):
        return
    folder = tmp_path / "kafka"
    with pytest.raises(LoyaltyError) as found, mounted(folder, 1, lambda: False):
        subprocess.run(["umount", str(folder)], check=True)
    assert not isinstance(found.value, NoSmallDisk)
    assert f"{folder} is still mounted" in str(found.value)


def test_a_till_that_died_or_wrote_too_little_is_noticed(tmp_path: Path) -> None:
    till = Till(describe(tmp_path), 100, 1)
    assert (
        "ended by itself while kafka was full" in ended_by_itself(till, "while kafka was full")[0]
    )
    pace = Pace(till)
    till.key.write_bytes(b"header\n")
    with pace.measured():
        till.key.write_bytes(b"header\n" + b"row\n" * 10)
        time.sleep(0.2)
    till.key.write_bytes(b"header\n" + b"row\n" * 1000)  # while a disk was full
    assert 0 < pace.lines_per_second() < 60
    assert "should have written 100" in shortfall(pace.lines_per_second(), 100)
    assert not shortfall(90, 100)
