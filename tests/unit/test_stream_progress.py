"""The small files that one process replaces and others read, also after a power cut."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.restarts import read_restarts
from pipeline.document import read_document, replace_document
from pipeline.places import Places
from streaming.progress import (
    HOUR_SECONDS,
    Standing,
    last_day,
    progress_file,
    read_progress,
    stamp_work,
    worked_at,
    write_progress,
)
from streaming.staging import Counts, Record

TORN = [b"", b'{"started_at": 1', b"\0" * 40, b"[]", b"\xff"]


def test_a_document_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "run" / "a.json"
    assert read_document(path) is None
    replace_document(path, {"a": 1})
    replace_document(path, {"a": 2})
    assert read_document(path) == {"a": 2}
    assert [file.name for file in path.parent.iterdir()] == ["a.json"]


def test_the_content_is_on_the_disk_before_the_name_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced = tmp_path / "a.json", []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.exists()))
    replace_document(path, {})
    assert synced == [False]


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_file_stops_nobody(tmp_path: Path, torn: bytes) -> None:
    places = Places(tmp_path)
    places.run.mkdir()
    progress_file(places).write_bytes(torn)
    assert read_progress(places) is None
    write_progress(places, Standing(7, "t"), None)
    found = read_progress(places)
    assert found is not None
    assert found.started_at == 7
    (places.run / "restarts.json").write_bytes(torn)
    assert read_restarts(places) == {}


@pytest.mark.parametrize("other", [{}, {"offsets": 3}, {"totals": []}, {"gaps": [{"x": 1}]}])
def test_a_whole_file_of_another_form_stops_nobody(tmp_path: Path, other: dict[str, Any]) -> None:
    places = Places(tmp_path)
    write_progress(places, Standing(7, "t"), None)
    document = read_document(progress_file(places))
    assert document is not None
    replace_document(progress_file(places), (document | other) if other else {})
    assert read_progress(places) is None
    write_progress(places, Standing(8, "t"), None)
    found = read_progress(places)
    assert found is not None
    assert found.started_at == 8


def test_a_sign_of_work_is_the_files_time_and_leaves_its_content(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert worked_at(places) == 0
    write_progress(places, Standing(7, "t"), None)
    before = read_progress(places)
    os.utime(progress_file(places), (5, 5))
    assert worked_at(places) == 5
    stamp_work(places)
    assert worked_at(places) > 5
    assert read_progress(places) == before


def record(batch: int, bad: int, first: int | None = None, epoch: int = 1) -> Record:
    """Give the record of a batch of ten lines, some of them bad; first: its first offset."""
    first = 10 * batch if first is None else first
    counts = Counts(10, 10 - bad, 0, bad)
    reasons = {"ITEM": bad} if bad else {}
    return Record(
        epoch, batch, "t", {0: (first, first + 9)}, {0: 0}, {0: first + 10}, counts, counts,
        reasons=reasons,
    )  # fmt: skip


def test_a_batch_counts_once_in_the_day_however_often_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, now = Places(tmp_path), 1_780_000_000.0
    for hour, batch, bad in [(0, 1, 3), (0, 1, 3), (0, 2, 1), (23, 3, 0), (24, 4, 2), (24, 4, 2)]:
        monkeypatch.setattr("time.time", lambda at=now + hour * HOUR_SECONDS: at)
        write_progress(places, Standing(7, "t"), record(batch, bad))
    write_progress(places, Standing(7, "t"), Record.from_json(record(4, 2).to_json()))
    found = read_progress(places)
    assert found is not None
    day = last_day(found, now + 24 * HOUR_SECONDS)
    assert (day.lines, day.reasons) == (40, {"ITEM": 6})
    day = last_day(found, now + 25 * HOUR_SECONDS)
    assert (day.lines, day.reasons) == (20, {"ITEM": 2})
    monkeypatch.setattr("time.time", lambda: now + 25 * HOUR_SECONDS)
    write_progress(places, Standing(7, "t"), record(5, 0))
    found = read_progress(places)
    assert found is not None
    assert len(found.hours) == 3, "what is older than a day is forgotten"


def test_what_is_read_again_counts_no_second_time(tmp_path: Path) -> None:
    places, standing = Places(tmp_path), Standing(7, "t")
    told = [record(0, 3), record(1, 1), record(2, 0)]
    for one in told:
        write_progress(places, standing, one)
    # the checkpoint is lost: the first two batches' lines in an epoch of their own, which begins
    # with a start that tells the record before; then one that goes five lines further than before
    again = [record(0, 0, epoch=2), record(1, 0, epoch=2), record(2, 2, first=25, epoch=2)]
    for one in [told[-1], *again]:
        write_progress(places, standing, one)
    found = read_progress(places)
    assert found is not None
    day = last_day(found, found.at)
    assert (day.lines, day.reasons) == (35, {"ITEM": 6})
    # a topic that was made anew begins at 0, with lines of its own
    write_progress(places, Standing(7, "u"), replace(record(0, 0, epoch=3), topic_id="u"))
    found = read_progress(places)
    assert found is not None
    assert last_day(found, found.at).lines == 45


def test_a_file_from_before_has_no_hours(tmp_path: Path) -> None:
    places = Places(tmp_path)
    write_progress(places, Standing(7, "t"), None)
    document = read_document(progress_file(places))
    assert document is not None
    del document["hours"], document["reached"]
    for hours in ({}, {"hours": [{"number": 0, "counts": {"lines": 7}, "reasons": {}}]}):
        replace_document(progress_file(places), document | hours)
        found = read_progress(places)
        assert found is not None
        assert last_day(found, 0).lines == 0
