"""Which of Spark's checkpoints can be started from."""

import json
from pathlib import Path

import pytest

from streaming.checkpoint import prepare


def make(
    root: Path, offsets: dict[int, dict[str, int]], commits: list[int], topic: str = "id"
) -> Path:
    """Write a checkpoint as Spark does; offsets: by batch, the end of each Kafka partition."""
    folder = root / f"topic-{topic}"
    for name in ("offsets", "commits"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for batch, ends in offsets.items():
        text = f'v1\n{{"batchWatermarkMs":0}}\n{json.dumps({"orders": ends})}'
        (folder / "offsets" / str(batch)).write_text(text)
        (folder / "offsets" / f".{batch}.crc").touch()
    for batch in commits:
        (folder / "commits" / str(batch)).write_text("v1\n{}")
    (folder / "metadata").write_text('{"id":"3baffcc4"}')
    (folder / "sources" / "0").mkdir(parents=True, exist_ok=True)
    (folder / "sources" / "0" / "0").write_text('\0v1\n{"orders":{"0":0}}')
    return folder


def is_kept(root: Path, earliest: int = 0) -> bool:
    """Prepare, and tell whether the checkpoint is still there."""
    folder = prepare(root, "orders", "id", {0: earliest})
    assert folder == root / "topic-id"
    assert folder.is_dir()
    return any(folder.iterdir())


ENDS = {3: {"0": 30}, 4: {"0": 40}}


@pytest.mark.parametrize("commits", [[3], [3, 4], []])
def test_a_whole_checkpoint_is_kept(tmp_path: Path, commits: list[int]) -> None:
    make(tmp_path, ENDS, commits)
    assert is_kept(tmp_path)


def test_the_first_start(tmp_path: Path) -> None:
    assert not is_kept(tmp_path / "checkpoint")
    assert (tmp_path / "checkpoint").is_dir()


@pytest.mark.parametrize("commits", [[1, 2], [5], [3, 4, 5]])
def test_commits_that_do_not_fit(tmp_path: Path, commits: list[int]) -> None:
    make(tmp_path, ENDS, commits)
    assert not is_kept(tmp_path)


def test_offsets_that_are_gone_or_torn(tmp_path: Path) -> None:
    folder = make(tmp_path, ENDS, [3])
    (folder / "offsets" / "4").write_text("v1\n{}")
    assert not is_kept(tmp_path)
    make(tmp_path, {}, [3])
    assert not is_kept(tmp_path)


@pytest.mark.parametrize("file", ["commits/4", "offsets/3", "offsets/4", "metadata", "sources/0/0"])
def test_a_file_that_a_power_cut_has_torn(tmp_path: Path, file: str) -> None:
    torn = make(tmp_path, ENDS, [3, 4]) / file
    whole = torn.read_bytes()
    for length in range(len(whole)):
        make(tmp_path, ENDS, [3, 4])
        torn.write_bytes(whole[:length])
        assert not is_kept(tmp_path), whole[:length]
        make(tmp_path, ENDS, [3, 4])
        torn.write_bytes(whole[:length] + b"\0" * (len(whole) - length))
        assert not is_kept(tmp_path), "blocks that were never written are zeros"


@pytest.mark.parametrize("file", ["offsets/3", "metadata"])
def test_a_file_that_a_copy_has_left_out(tmp_path: Path, file: str) -> None:
    """Spark starts from neither (STREAMING_CHECKPOINT_MISSING_METADATA_FILE; batch 3 doesn't
    exist).
    """
    (make(tmp_path, ENDS, [3, 4]) / file).unlink()
    assert not is_kept(tmp_path)
    (make(tmp_path, {2: {"0": 20}} | ENDS, [2, 3]) / file).unlink()
    assert not is_kept(tmp_path)


def test_a_first_batch_whose_begin_has_expired(tmp_path: Path) -> None:
    for earliest, commits, kept in ((0, [], True), (1, [], False), (1, [0], True), (9, [0], False)):
        make(tmp_path, {0: {"0": 8}}, commits)
        assert is_kept(tmp_path, earliest) is kept


def test_an_older_commit_that_is_torn_is_not_read(tmp_path: Path) -> None:
    folder = make(tmp_path, ENDS, [3, 4])
    (folder / "commits" / "3").write_bytes(b"")
    assert is_kept(tmp_path)


def test_expired_offsets(tmp_path: Path) -> None:
    make(tmp_path, ENDS, [3])
    assert is_kept(tmp_path, earliest=30)
    assert not is_kept(tmp_path, earliest=31)
    make(tmp_path, ENDS, [3, 4])
    assert is_kept(tmp_path, earliest=40)
    assert not is_kept(tmp_path, earliest=41)


def test_a_topic_made_anew(tmp_path: Path) -> None:
    old = make(tmp_path, ENDS, [3], topic="-wFmU01mTQqVYe_sKPbSzA")
    assert not is_kept(tmp_path)
    assert not old.exists()


def test_what_is_no_topics_folder_stays(tmp_path: Path) -> None:
    """A file of anybody's, and a copy that a user made before he tried something."""
    copy = make(tmp_path, ENDS, [3], topic="-wFmU01mTQqVYe_sKPbSzA.bak")
    file = tmp_path / "topic-bwFmU01mTQqVYe_sKPbSzA"
    file.touch()
    assert not is_kept(tmp_path)
    assert (copy / "offsets").exists()
    assert file.exists()


def test_a_topic_whose_end_went_back(tmp_path: Path) -> None:
    topic_id = "-wFmU01mTQqVYe_sKPbSzA"
    old = make(tmp_path, ENDS, [3], topic=topic_id)
    new = prepare(tmp_path, "orders", f"{topic_id}.2", {0: 0})
    assert (new.name, new.is_dir(), old.exists()) == (f"topic-{topic_id}.2", True, False)
    prepare(tmp_path, "orders", f"{topic_id}.3", {0: 0})
    assert not new.exists()


def test_a_topics_id_becomes_a_plain_name(tmp_path: Path) -> None:
    folder = prepare(tmp_path, "orders", "a+b/c", {0: 0})
    assert folder == tmp_path / "topic-a-b_c"
    assert "%" not in folder.as_uri()
