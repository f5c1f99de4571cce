"""A machine that went down under the stack: what was acknowledged may not have been on its disk.

Kafka acknowledges what the kernel has. `kill -9` takes nothing of that away, a power cut may take
the last seconds. The order log has those lines still, or its till was never told that they are
there; so Flume reads it again, and what is there already is dropped as a duplicate.
"""

from pathlib import Path
from typing import Final

from pipeline.document import replace_file
from pipeline.places import Places

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
"""Linux draws another one at each boot."""


def boot_file(places: Places) -> Path:
    """Give where the boot is noted in which the servers were started; a `down` in order, of a
    stack that ran, removes it.
    """
    return places.run / "boot-id"


def note_boot(places: Places, boot_id: Path = BOOT_ID) -> bool:
    """Note this boot. Where the servers of another one were never stopped, forget what Flume has
    read of the order log; tells whether.
    """
    here = boot_id.read_text(encoding="ascii").strip()
    noted = boot_file(places)
    went_down = noted.exists() and noted.read_text(encoding="ascii") != here
    if went_down:
        places.positions.unlink(missing_ok=True)
    replace_file(noted, here.encode())
    return went_down


def forget_boot(places: Places) -> None:
    """Note that everything was stopped in order."""
    boot_file(places).unlink(missing_ok=True)
