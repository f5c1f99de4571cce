"""After a full disk: the marker that lets the agent's next start read again."""

from pathlib import Path

import pytest

from cluster import disk
from cluster.disk import Shortage, settle_shortage
from flume.rewind import MARGIN_SECONDS, ask_to_rewind, rewind
from pipeline.errors import Unavailable
from pipeline.places import Places
from pipeline.topic import Topic


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "flume").mkdir()
    return Places(tmp_path)


def test_nothing_is_read_again_unless_it_was_asked_for(places: Places) -> None:
    assert rewind(places, Topic("127.0.0.1:1", "orders", timeout=0.1)) is None


def test_a_rewind_that_kafka_did_not_take_is_done_at_the_next_start(places: Places) -> None:
    ask_to_rewind(places, 1_000.5)
    marker = places.positions.parent / "rewind"
    assert int(marker.read_text()) == int((1_000.5 - MARGIN_SECONDS) * 1000)
    with pytest.raises(Unavailable):
        rewind(places, Topic("127.0.0.1:1", "orders", timeout=0.1))
    assert marker.exists()


def test_a_shortage_of_hdfs_asks_for_it_from_its_beginning(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = {"hdfs": 0}
    monkeypatch.setattr(disk, "_free_mib", lambda _, folder: room.get(folder, 10_000))
    times = iter((100.0, 200.0))
    monkeypatch.setattr("cluster.disk.time.time", lambda: next(times))
    shortage = Shortage(places)
    shortage.look()
    shortage.look()
    assert not (places.positions.parent / "rewind").exists()
    room["hdfs"] = 10_000
    assert shortage.look() == (set(), {"datanode", "flume"})
    assert (places.positions.parent / "rewind").read_text() == str(
        int((100 - MARGIN_SECONDS) * 1000)
    )


def test_two_shortages_are_read_again_from_the_first(places: Places) -> None:
    for since in (500, 100, 900):
        ask_to_rewind(places, since)
    marker = places.positions.parent / "rewind"
    assert marker.read_text() == str((100 - MARGIN_SECONDS) * 1000)
    assert list(marker.parent.iterdir()) == [marker]


def test_a_stack_that_went_down_amid_a_shortage_reads_again_too(places: Places) -> None:
    settle_shortage(places, {"kafka": 50.0, "orders-log": 60.0})
    assert not (places.positions.parent / "rewind").exists()
    settle_shortage(places, {"hdfs": 100.0, "kafka": 50.0})
    assert (places.positions.parent / "rewind").read_text() == str((100 - MARGIN_SECONDS) * 1000)
