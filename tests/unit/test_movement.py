"""Where the source has to get to: log files are real ones."""

import json
from pathlib import Path

import pytest

from cluster import movement
from cluster.movement import Reader, behind, flume_state, stuck
from pipeline.places import Places
from pipeline.settings import Settings

LONG = b"x" * (3 << 20) + b"\n"
"""A line of several blocks."""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A stack whose source alone is looked at."""
    monkeypatch.setattr(movement, "sink_state", lambda _: {})
    settings = Settings(data=tmp_path)
    Places(settings.data).order_log.mkdir()
    Places(settings.data).positions.parent.mkdir()
    return settings


def source(settings: Settings, content: bytes, read: int) -> Reader:
    """Give the state of a source that has read so much of the one file."""
    places = Places(settings.data)
    path = places.order_log / "orders-a.log"
    path.write_bytes(content)
    row = {"inode": path.stat().st_ino, "file": str(path), "pos": read}
    places.positions.write_text(json.dumps([row]), encoding="utf-8")
    said: list[str] = []
    state = flume_state(settings, said.append)
    assert said == []
    return state["the source"]


def test_a_source_that_stands_at_a_long_line_is_stuck(settings: Settings) -> None:
    found = source(settings, b"one\n" + LONG + b"next\n", len(b"one\n"))
    assert found.end["orders-a.log"] >= len(b"one\n" + LONG)
    assert stuck({"the source": found}, {"the source": found}) == ["the source"]


@pytest.mark.parametrize("rest", [b"", b"half", LONG[:-1]])
def test_half_a_line_waits(settings: Settings, rest: bytes) -> None:
    assert not behind({"it": source(settings, b"one\n" + rest, len(b"one\n"))})
    assert source(settings, b"one\n" + rest, 0).end == {"orders-a.log": len(b"one\n")}
