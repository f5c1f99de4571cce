"""Makes Hive show what lies on HDFS: each partition's highest generation, by itself.

The state that is wanted is the listing on HDFS, so nothing is lost when HiveServer2 or this
process ends: whatever Hive does not show yet is found again at the next start. Old generations
are deleted here too, when their time has come; each look reads back first what Hive shows.
"""

import logging
import time
from collections.abc import Callable
from threading import Condition, Thread
from typing import Final

from hive.generations import GenerationTable
from hive.session import Session
from hive.tables import partition_names
from pipeline.errors import LoyaltyError
from pipeline.generations import GRACE_SECONDS, number_of
from pipeline.webhdfs import Hdfs

BACK_OFF_SECONDS: Final = (0.5, 1, 2, 5, 10)
"""After a failure; the last one again and again."""
LONGEST_PAUSE_SECONDS: Final = 300
"""Without news; then what is due is looked for."""
Place = tuple[str, str]
"""A table's name in Hive and a partition of it."""

log = logging.getLogger(__name__)


class PartitionFollower:
    """A thread that follows the writer. uri: hdfs://HOST:PORT; tables: folder on HDFS by table;
    grace: seconds that an old generation stays.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
        hdfs: Hdfs,
        uri: str,
        tables: dict[str, str],
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._connect = connect
        self._tables = {
            name: GenerationTable(hdfs, uri, name, folder, grace) for name, folder in tables.items()
        }
        self._news = Condition()
        self._told: dict[Place, str] = {}
        """What Hive shall show and may not yet: folders."""
        self._shown: dict[Place, str] = {}
        """What Hive is known to show."""
        self._due: dict[Place, float] = {}
        """When an old generation may go (epoch seconds)."""
        self._stopped = False
        self._thread = Thread(target=self._follow, name="hive partitions", daemon=True)

    def start(self) -> None:
        """Begin with what HDFS has and Hive does not show."""
        self._thread.start()

    def tell(self, folder: str) -> None:
        """Say that files were added to a folder …/PARTITION/g=N; returns at once."""
        place = self._place(folder)
        if self._shown.get(place) != folder:
            with self._news:
                self._told[place] = folder
                self._news.notify()

    def is_alive(self) -> bool:
        """Tell whether the thread runs; one that died of an error wrote its traceback."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End after the statement at hand, for which it waits some seconds."""
        with self._news:
            self._stopped = True
            self._news.notify()
        self._thread.join(timeout=5)

    def _follow(self) -> None:
        self._until_done(self._catch_up)
        while not self._stopped:
            with self._news:
                self._news.wait_for(lambda: self._told or self._stopped, timeout=self._pause())
            if not self._stopped and (self._told or self._places_due()):
                self._until_done(self._show_told)

    def _pause(self) -> float:
        until_due = min(self._due.values(), default=time.time() + LONGEST_PAUSE_SECONDS)
        return max(0, min(LONGEST_PAUSE_SECONDS, until_due - time.time()))

    def _places_due(self) -> list[Place]:
        return [place for place, at in self._due.items() if at <= time.time()]

    def _until_done(self, action: Callable[[Session], None]) -> None:
        """Try until HiveServer2 and HDFS have done it all, or the process ends."""
        failures = 0
        while not self._stopped:
            try:
                with self._connect() as session:
                    action(session)
            except LoyaltyError as error:
                if failures == 0:
                    log.warning("Hive does not follow for now: %s", error)
                seconds = BACK_OFF_SECONDS[min(failures, len(BACK_OFF_SECONDS) - 1)]
                failures += 1
                with self._news:
                    self._news.wait_for(lambda: self._stopped, timeout=seconds)
            else:
                if failures:
                    log.warning("Hive follows again.")
                return

    def _catch_up(self, session: Session) -> None:
        for name, table in self._tables.items():
            for partition, at in table.settle(session).items():
                self._due[name, partition] = at
        with self._news:
            told = dict(self._told)
        # a restart tells the last batch's folders again: Hive shows them by now
        self._show(session, told)

    def _show_told(self, session: Session) -> None:
        with self._news:
            told = dict(self._told)
        self._show(session, told)
        for table, partition in self._places_due():
            self._look(session, table, partition)

    def _show(self, session: Session, told: dict[Place, str]) -> None:
        """Add partitions that are missing; of the others, switch those of later generations."""
        for name, table in self._tables.items():
            wanted = {partition: folder for (t, partition), folder in told.items() if t == name}
            shown = partition_names(session, name) if wanted else set()
            table.add(session, {p: folder for p, folder in wanted.items() if p not in shown})
            for partition, folder in wanted.items():
                # the first generation has no forerunner that Hive could show instead
                if number_of(folder) > 1:
                    self._look(session, name, partition)
        self._shown |= told
        with self._news:
            self._told = {place: f for place, f in self._told.items() if told.get(place) != f}

    def _look(self, session: Session, table: str, partition: str) -> None:
        at = self._tables[table].show(session, partition)
        self._due.pop((table, partition), None)
        if at is not None:
            self._due[table, partition] = at

    def _place(self, folder: str) -> Place:
        for name, table in self._tables.items():
            if folder.startswith(f"{table.folder}/"):
                return name, folder.removeprefix(f"{table.folder}/").rpartition("/")[0]
        raise ValueError(folder)
