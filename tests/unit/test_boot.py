"""A power cut is told from a `down`, and lets Flume read the order log again."""

from pathlib import Path

from cluster.boot import BOOT_ID, forget_boot, note_boot
from pipeline.places import Places


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


def test_this_machine_says_which_boot_it_is() -> None:
    assert len(BOOT_ID.read_text().strip()) == 36
