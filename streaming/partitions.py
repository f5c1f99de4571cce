"""Makes Hive show what lies on HDFS: each partition's highest generation, by itself.

The state that is wanted is the listing on HDFS, so nothing is lost when HiveServer2 or this
process ends: whatever Hive does not show yet is found again at the next start. The folder of an
old generation goes only after its switch was read back; a partition that Hive shows and that has
one generation is therefore right, and only those with several are asked for.
"""

import logging
from collections.abc import Callable
from threading import Condition, Thread
from typing import Final

from hive.session import Session
from hive.tables import Partition, get_location, partition_names, set_location
from pipeline.errors import LoyaltyError, Unavailable
from pipeline.webhdfs import Hdfs
from streaming.stored import partitions

BACK_OFF_SECONDS: Final = (0.5, 1, 2, 5, 10)
"""After a failure; the last one again and again."""
ADDED_AT_ONCE: Final = 100
"""New partitions in one statement."""

log = logging.getLogger(__name__)


class PartitionFollower:
    """A thread that follows the writer. uri: hdfs://HOST:PORT; tables: folder on HDFS by table."""

    def __init__(
        self, connect: Callable[[], Session], hdfs: Hdfs, uri: str, tables: dict[str, str]
    ) -> None:
        self._connect = connect
        self._hdfs = hdfs
        self._uri = uri
        self._tables = tables
        self._news = Condition()
        self._told: dict[tuple[str, str], str] = {}
        """What Hive shall show and may not yet: folder by table and partition."""
        self._shown: dict[tuple[str, str], str] = {}
        """What Hive is known to show."""
        self._stopped = False
        self._thread = Thread(target=self._follow, name="hive partitions", daemon=True)

    def start(self) -> None:
        """Begin with what HDFS has and Hive does not show."""
        self._thread.start()

    def tell(self, folder: str) -> None:
        """Say that files were added to a folder …/PARTITION/g=N; returns at once."""
        table, partition = self._place(folder)
        if self._shown.get((table, partition)) != folder:
            with self._news:
                self._told[table, partition] = folder
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
                self._news.wait_for(lambda: self._told or self._stopped)
            if not self._stopped:
                self._until_done(self._show_told)

    def _until_done(self, action: Callable[[Session], None]) -> None:
        """Try until HiveServer2 has done it all, or the process ends."""
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
        for table, root in self._tables.items():
            shown = partition_names(session, table)
            for partition, folders in partitions(self._hdfs, root):
                if _is_right(partition, folders, shown):
                    self._shown[table, partition] = folders[0]
                else:
                    with self._news:
                        self._told.setdefault((table, partition), folders[-1])
        with self._news:
            # a restart tells the last batch's folders again: mostly Hive shows them
            told = self._told.items()
            self._told = {key: f for key, f in told if self._shown.get(key) != f}

    def _show_told(self, session: Session) -> None:
        with self._news:
            told = dict(self._told)
        for table in {table for table, _ in told}:
            wanted = {partition: self._uri + f for (t, partition), f in told.items() if t == table}
            _show(session, table, wanted)
        self._shown |= told
        with self._news:
            self._told = {key: f for key, f in self._told.items() if told.get(key) != f}

    def _place(self, folder: str) -> tuple[str, str]:
        for table, root in self._tables.items():
            if folder.startswith(f"{root}/"):
                return table, folder.removeprefix(f"{root}/").rpartition("/")[0]
        raise ValueError(folder)


def show_now(
    session: Session, hdfs: Hdfs, uri: str, table: str, root: str, *, last: str | None = None
) -> None:
    """Make Hive show what lies below a table's folder, before its follower comes to it.

    last: up to this value of the first column (odr_dt=2019-04-05). uri: hdfs://HOST:PORT.
    """

    def missing() -> dict[str, str]:
        shown = partition_names(session, table)
        return {
            partition: f"{uri}{folders[-1]}"
            for partition, folders in partitions(hdfs, root, last, shown)
            if not _is_right(partition, folders, shown)
        }

    try:
        _show(session, table, missing())
    except Unavailable:
        raise
    except LoyaltyError:
        # the follower may have added the same partition at the same moment
        _show(session, table, missing())


def _is_right(partition: str, folders: list[str], shown: set[str]) -> bool:
    """Tell what needs no question: see the module's text."""
    return partition in shown and len(folders) == 1


def _show(session: Session, table: str, wanted: dict[str, str]) -> None:
    """Add the partitions that are missing, and switch the others where they point elsewhere."""
    if not wanted:
        return
    shown = partition_names(session, table)
    new = [partition for partition in wanted if partition not in shown]
    for start in range(0, len(new), ADDED_AT_ONCE):
        words = " ".join(
            f"PARTITION ({_specification(partition)}) LOCATION '{wanted[partition]}'"
            for partition in new[start : start + ADDED_AT_ONCE]
        )
        session.run(f"ALTER TABLE {table} ADD IF NOT EXISTS {words}")
    for partition in wanted.keys() - set(new):
        values = _values(partition)
        if get_location(session, table, values) != wanted[partition]:
            set_location(session, table, wanted[partition], values)


def _values(partition: str) -> Partition:
    """Read odr_dt=2019-04-05/odr_hr=0."""
    pairs = (part.partition("=") for part in partition.split("/"))
    return {column: int(value) if value.isdecimal() else value for column, _, value in pairs}


def _specification(partition: str) -> str:
    return ", ".join(
        f"{column}={value}" if isinstance(value, int) else f"{column}='{value}'"
        for column, value in _values(partition).items()
    )
