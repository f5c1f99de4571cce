"""A power cut is told from a `down`, and lets Flume read the order log again."""

from pathlib import Path

from cluster.boot import BOOT_ID, forget_boot, note_boot
from cluster.shutdown import stop_all
from cluster.stack import Stack
from drill.stack import describe
from pipeline.places import Places
from pipeline.programme import read_programme


def test_only_a_machine_that_went_down_makes_flume_read_again(tmp_path: Path) -> None:
    places, boot = Places(tmp_path / "var"), tmp_path / "boot_id"
    places.positions.parent.mkdir(parents=True)

    def start(boot_id: str) -> tuple[bool, bool]:
        places.positions.write_text("[]")
        boot.write_text(f"{boot_id}\n")
        return note_boot(places, boot), places.positions.exists()

    assert start("first") == (False, True)
    assert start("first") == (False, True), "supervisord was killed"
    assert start("second") == (True, False), "the machine went down"
    assert start("second") == (False, True)
    forget_boot(places)
    assert start("third") == (False, True), "`down` was before it"


def test_a_down_of_what_no_longer_runs_does_not_hide_that_the_machine_went_down(
    tmp_path: Path,
) -> None:
    own = describe(tmp_path / "var")
    boot = tmp_path / "boot_id"
    boot.write_text("first\n")
    note_boot(own.places, boot)
    stopped: list[str] = []
    stack = Stack(own.settings, read_programme(own.settings.programme))
    assert stop_all(stack, stopped.append) == (0, [])
    assert stopped == []
    boot.write_text("second\n")
    assert note_boot(own.places, boot), "Flume reads the order log again"


def test_this_machine_says_which_boot_it_is() -> None:
    assert len(BOOT_ID.read_text().strip()) == 36
