"""A format that was cut off is done again; a name space that was in use is never formatted."""

from pathlib import Path

import pytest

from cluster.component import read_components
from cluster.configuration import render
from cluster.formats import Format, formats, run_format
from cluster.jars import resolve_jars
from drill.stack import describe
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.progress import unseen
from pipeline.settings import Settings

Jars = dict[str, Path]


@pytest.fixture(scope="module")
def jars() -> Jars:
    return resolve_jars(unseen)


@pytest.fixture
def settings(tmp_path: Path, jars: Jars) -> Settings:
    """A data folder with its configuration, and what a killed format has left of the name space."""
    made = describe(tmp_path / "var").settings
    places = Places(made.data)
    for folder in (places.run, places.temporary, made.data / "hdfs" / "name" / "current"):
        folder.mkdir(parents=True)
    (made.data / "hdfs" / "name" / "current" / "VERSION").write_text("layoutVersion=-66\n")
    render(made, places, "UTC", jars)
    return made


def of_namenode(settings: Settings, jars: Jars) -> list[Format]:
    return [one for one in formats(settings, "c", jars) if one.component == "namenode"]


def test_one_that_was_cut_off_is_done_again(settings: Settings, jars: Jars) -> None:
    (item,) = of_namenode(settings, jars)
    run_format(item, read_components()["namenode"], settings, jars)
    assert "clusterID" in (settings.data / "hdfs/name/current/VERSION").read_text()
    assert of_namenode(settings, jars) == []


def test_what_was_in_use_is_left_alone(settings: Settings, jars: Jars) -> None:
    edits = settings.data / "hdfs" / "name" / "current" / "edits_inprogress_0000000000000000001"
    edits.write_bytes(b"the only ones")
    (item,) = of_namenode(settings, jars)
    with pytest.raises(LoyaltyError, match="could not format its storage"):
        run_format(item, read_components()["namenode"], settings, jars)
    assert edits.read_bytes() == b"the only ones"
