"""When a topic is taken for another one because its end has gone back, and what follows."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.places import Places
from streaming.checkpoint import prepare
from streaming.epochs import with_counts
from streaming.progress import Standing, read_progress, write_progress
from streaming.staging import Counts, Record
from streaming.topic_name import find_name
from tests.unit.order_rows import NOON
from tests.unit.test_checkpoint import make

ID = "-wFmU01mTQqVYe_sKPbSzA"


def record(at: int, topic: str = ID) -> Record:
    """Give the record of a stream that has read partition 0 to an offset."""
    nothing = Counts()
    blank = Record(1, 0, topic, {0: (0, at - 1)}, {}, {}, nothing, nothing)
    return replace(with_counts(blank, nothing), appended={0: NOON})


def found_name(
    root: Path, last: Record | None, end: int, first: int = 0, appended: int = NOON
) -> str:
    """Identify a topic that got its lines at one time, and prepare as the stream's start does."""

    def ask(offsets: dict[int, int]) -> dict[int, int]:
        assert all(first <= offset < end for offset in offsets.values())
        return dict.fromkeys(offsets, appended)

    found = find_name(root, "orders", ID, last, {0: (first, end), 1: (0, 0)}, ask=ask)
    prepare(root, "orders", found, {0: 0})
    return found


def test_a_topic_goes_by_its_id(tmp_path: Path) -> None:
    assert found_name(tmp_path / "checkpoint", None, 0) == ID
    make(tmp_path, {3: {"0": 80}, 4: {"0": 100}}, [3, 4], ID)
    assert found_name(tmp_path, record(100), 100) == ID
    assert found_name(tmp_path, record(100), 101) == ID
    assert (tmp_path / f"topic-{ID}" / "offsets").exists()
    # a partition that Kafka does not name now proves nothing
    assert find_name(tmp_path, "orders", ID, record(100), {}, ask=dict) == ID
    assert found_name(tmp_path, record(100, topic="another"), 100) == ID


def test_an_end_before_what_was_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert found_name(tmp_path, record(100), 90) == f"{ID}.2"
    assert "partition 0, which was read to 100" in caplog.text
    assert f"as {ID}.2; `./loyalty rebuild --repair` brings back" in caplog.text


def test_another_line_at_the_end_of_what_was_written(tmp_path: Path) -> None:
    """The topic has grown beyond it since."""
    assert found_name(tmp_path / "a", record(100), 1000, appended=NOON + 1) == f"{ID}.2"
    # what has expired cannot be asked for; a record of an earlier version tells nothing
    assert found_name(tmp_path / "b", record(100), 1000, 100, appended=NOON + 1) == ID
    assert found_name(tmp_path / "b", record(100), 1000, 99, appended=NOON + 1) == f"{ID}.2"
    old = replace(record(100), appended={})
    assert found_name(tmp_path / "c", old, 1000, appended=NOON + 1) == ID


@pytest.mark.parametrize("commits", [[3], [3, 4]])
def test_an_end_before_what_spark_has_planned(tmp_path: Path, commits: list[int]) -> None:
    old = make(tmp_path, {3: {"0": 80}, 4: {"0": 100}}, commits, ID)
    assert found_name(tmp_path, record(80), 99) == f"{ID}.2"
    assert not old.exists()


def test_a_plan_that_goes_back_although_the_topic_has_grown_since(tmp_path: Path) -> None:
    """Spark takes down the end that it found, 90, and refuses to read to there from 100."""
    make(tmp_path, {3: {"0": 100, "1": 7}, 4: {"0": 90, "1": 7}}, [3], ID)
    assert found_name(tmp_path, record(100), 1000) == f"{ID}.2"


def test_a_checkpoint_that_cannot_be_read_proves_nothing(tmp_path: Path) -> None:
    folder = make(tmp_path, {3: {"0": 80}, 4: {"0": 100}}, [3], ID)
    (folder / "offsets" / "4").write_text("v1")
    assert found_name(tmp_path, record(80), 99) == ID


def test_the_new_name_stays(tmp_path: Path) -> None:
    (tmp_path / f"topic-{ID}.copy").mkdir()
    assert found_name(tmp_path, record(100), 90) == f"{ID}.2"
    # the stream was killed before its first batch, and the topic has grown
    assert found_name(tmp_path, record(100), 120) == f"{ID}.2"
    # the checkpoint was lost after it
    assert found_name(tmp_path / "other", record(50, f"{ID}.2"), 120) == f"{ID}.2"
    assert found_name(tmp_path, record(50, f"{ID}.2"), 49) == f"{ID}.3"


def test_status_and_backup_know_the_topic_by_its_id(tmp_path: Path) -> None:
    places = Places(tmp_path)
    write_progress(places, Standing(0, f"{ID}.2"), record(3, f"{ID}.2"))
    progress = read_progress(places)
    assert progress is not None
    assert (progress.topic_id, progress.offsets) == (ID, {0: 3})
    # none of the lines is read until the first batch under the new name
    write_progress(places, Standing(0, f"{ID}.2"), record(3))
    progress = read_progress(places)
    assert progress is not None
    assert progress.offsets == {}
