"""The copy of Flume's position file: used where that is torn, and never where it is gone."""

import json
from pathlib import Path

import pytest

from flume.kept import copy_of_positions, keep_positions, mend_positions
from pipeline.places import Places

OLD = json.dumps([{"inode": 7, "pos": 10, "file": "/o/orders-1.log"}]).encode()
NEW = json.dumps([{"inode": 7, "pos": 99, "file": "/o/orders-1.log"}]).encode()


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path)
    made.positions.parent.mkdir()
    made.positions.write_bytes(OLD)
    keep_positions(made)
    return made


@pytest.mark.parametrize("torn", [NEW[: len(NEW) // 2], NEW[:-1], b"", b"\0" * len(NEW)])
def test_a_torn_file_is_replaced(places: Places, torn: bytes) -> None:
    places.positions.write_bytes(torn)
    keep_positions(places)  # by a watcher that looks before the next start
    assert mend_positions(places)
    assert places.positions.read_bytes() == OLD
    assert not mend_positions(places), "it is whole now"


WRONG = (
    b'[{"inode":99999999999999999999,"pos":1,"file":"/x"}]',
    b'[{"inode":1,"pos":1e400,"file":"/x"}]',
    b'[{"inode":1,"pos":-5,"file":"/x"}]',
    b'[{"inode":1,"pos":5,"file":null}]',
    b'[{"pos":5}]',
    b"[7]",
    b'{"inode":1}',
    b"null",
)
"""No position for Flume: with the second and the fourth its source was seen never to start."""


@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_with_a_wrong_value_is_replaced(places: Places, wrong: bytes) -> None:
    places.positions.write_bytes(wrong)
    keep_positions(places)
    assert mend_positions(places)
    assert places.positions.read_bytes() == OLD
    copy_of_positions(places).unlink()
    places.positions.write_bytes(wrong)
    assert not mend_positions(places)
    assert not places.positions.exists(), "everything is read again"


def test_a_whole_file_stays_and_is_the_next_copy(places: Places) -> None:
    places.positions.write_bytes(NEW)
    assert not mend_positions(places)
    assert places.positions.read_bytes() == NEW
    keep_positions(places)
    places.positions.write_bytes(NEW[:9])
    assert mend_positions(places)
    assert places.positions.read_bytes() == NEW


def test_who_removes_it_wants_everything_read_again(places: Places) -> None:
    """As after a power cut. A kill amid that must not bring back what was removed."""
    places.positions.unlink()
    keep_positions(places)
    assert not mend_positions(places)
    assert not places.positions.exists()
    places.positions.write_bytes(NEW[:9])
    assert not mend_positions(places)
    assert not places.positions.exists()


def test_no_room_for_the_copy_is_no_fault_of_flume(places: Places) -> None:
    copy_of_positions(places).unlink()
    copy_of_positions(places).mkdir()
    keep_positions(places)
    assert list(copy_of_positions(places).iterdir()) == []
    assert places.positions.read_bytes() == OLD
