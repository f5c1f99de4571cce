"""Tables whose readers see one generation each: of the table, or of every partition of it.

Generations enter on HDFS (pipeline/generations.py); Hive follows. Killed between the rename and
the switch, the next look makes the switch; killed between switch and mark, it makes the mark.
"""

import time
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Final

from hive.session import Session
from hive.tables import (
    get_location,
    partition_names,
    partition_spec,
    read_partition,
    set_location,
)
from pipeline.errors import LoyaltyError, Unavailable
from pipeline.generations import GRACE_SECONDS, due, enter, highest, partitions, retire
from pipeline.webhdfs import Hdfs

ADDED_AT_ONCE: Final = 100
"""New partitions in one statement."""


@dataclass(frozen=True, slots=True)
class GenerationTable:
    """A table in Hive over FOLDER/PARTITION/g=N, or FOLDER/g=N where it has no partitions.

    hdfs: as the owner of the folder. uri: hdfs://HOST:PORT. A partition is named as below the
    folder, `odr_dt=2019-04-05/odr_hr=0`; "" is the table itself. grace: seconds that an old
    generation stays.
    """

    hdfs: Hdfs
    uri: str
    name: str
    folder: str
    grace: float = GRACE_SECONDS

    def home(self, partition: str = "") -> str:
        """Give the folder of a partition's generations."""
        return f"{self.folder}/{partition}" if partition else self.folder

    def enter(
        self, staged: str, partition: str = "", notes: Mapping[str, bytes] | None = None
    ) -> str:
        """Make a complete folder the newest generation; give its path.

        notes: small files that enter with it; their names begin with `_`, so nobody takes them for
        data.
        """
        for name in self.hdfs.names(staged):
            if name[0] in "._":  # what Hive and Spark leave of their own writing
                self.hdfs.delete(f"{staged}/{name}")
        for name, content in (notes or {}).items():
            self.hdfs.write(f"{staged}/{name}", content)
        return enter(self.hdfs, staged, self.home(partition))

    def show(self, session: Session, partition: str = "") -> float | None:
        """Point Hive at the newest generation, read that back, and retire the older ones.

        Gives when the next old one is due (epoch seconds), None where none is left. Safe to
        repeat, and beside another one that does the same: the newest wins.
        """
        home, shown = self.home(partition), 0
        spec = read_partition(partition) if partition else None
        # listed again after each switch: one that entered meanwhile is never switched back from
        while (newest := highest(self.hdfs, home)) > shown:
            set_location(session, self.name, f"{self.uri}{home}/g={newest}", spec)
            shown = newest
        return retire(self.hdfs, home, shown, self.grace)

    def settle(self, session: Session) -> dict[str, float]:
        """Make Hive show what lies on HDFS, and retire what is old.

        Gives by partition when old generations are due (epoch seconds). Hive is not asked about a
        partition that it has and whose old generations are gone.
        """
        shown = partition_names(session, self.name)
        return self.follow(session, shown, dict(partitions(self.hdfs, self.folder, shown)))

    def retire_due(self, session: Session) -> None:
        """Do what `settle` does, but for the partitions that Hive has and whose newest generation
        came within the grace: for a table whose writer knows by itself what Hive shows.
        """
        shown, before = partition_names(session, self.name), time.time() - self.grace
        found = dict(partitions(self.hdfs, self.folder, shown, before))
        self.follow(session, shown, found)

    def follow(
        self, session: Session, shown: Set[str], found: Mapping[str, list[str]]
    ) -> dict[str, float]:
        """Do what `settle` does with what was listed already.

        shown: the partitions that Hive has. found: generations' folders by partition, oldest first.
        """
        self.add(session, {p: folders[-1] for p, folders in found.items() if p not in shown})
        several = {p: folders[-1] for p, folders in found.items() if len(folders) > 1}
        until = {p: due(self.hdfs, self.home(p), self.grace) for p in several}
        for partition, folder in several.items():
            # marked after its switch was read back; but one who looked before that may have
            # switched it back since, and died before his next look
            if until[partition] > time.time() and self._shows(session, partition, folder):
                continue
            if (at := self.show(session, partition)) is None:
                del until[partition]
            else:
                until[partition] = at
        return until

    def _shows(self, session: Session, partition: str, folder: str) -> bool:
        spec = read_partition(partition) if partition else None
        return get_location(session, self.name, spec) == f"{self.uri}{folder}"

    def add(self, session: Session, folders: dict[str, str]) -> None:
        """Add partitions that Hive does not have; folders: on HDFS, by partition."""
        for some in _parts(list(folders), ADDED_AT_ONCE):
            words = " ".join(
                f"PARTITION ({partition_spec(read_partition(partition))}) "
                f"LOCATION '{self.uri}{folders[partition]}'"
                for partition in some
            )
            statement = f"ALTER TABLE {self.name} ADD IF NOT EXISTS {words}"
            try:
                session.run(statement)
            except Unavailable:
                raise
            except LoyaltyError:
                # somebody may have added the same partition at the same moment
                session.run(statement)


def _parts(names: list[str], size: int) -> Iterable[list[str]]:
    return (names[start : start + size] for start in range(0, len(names), size))
