"""Who reads the orders, followed from the log files' ends of one moment to Hive."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from drill.stack import OwnStack
from hive.session import connect
from pipeline.errors import LoyaltyError
from pipeline.places import TRANSACTIONS
from pipeline.positions import read_positions
from pipeline.topic import GROUPS, Offsets, has_reached
from pipeline.verify.order_log import complete_end
from pipeline.webhdfs import Hdfs
from streaming.progress import read_progress

STREAM: Final = "the stream"
HIVE: Final = "Hive"
EVERYONE: Final = (*GROUPS, STREAM, HIVE)
_HIVE_SECONDS: Final = 60
_FILES: Final = "select distinct INPUT__FILE__NAME from transactions_cln"


class Chase:
    """What was in the log files when this was made, and who has got all of it.

    First Flume delivers it to the topic; the topic's ends of then are what the others have to
    reach. Hive has to show each file that the stream has in the highest generations once it has
    reached them.
    """

    def __init__(self, stack: OwnStack) -> None:
        self._stack = stack
        self._log = _log_ends(stack)
        self._topic: Offsets = {}

    def check(self, *readers: str) -> None:
        """Raise LoyaltyError while Flume or one of the readers (of EVERYONE) is behind."""
        if not self._topic:
            delivered = read_positions(self._stack.places.positions)
            if not has_reached(delivered, self._log):
                raise LoyaltyError("Flume has not delivered all that was in the log files")
            self._topic = self._stack.topic.ends()
        for reader in readers:
            if not self._has_reached(reader):
                raise LoyaltyError(f"{reader} has not got all that was in the topic")

    def _has_reached(self, reader: str) -> bool:
        if reader in GROUPS:
            return has_reached(self._stack.topic.committed(reader), self._topic)
        progress = read_progress(self._stack.places)
        if progress is None or not has_reached(progress.offsets, self._topic):
            return False
        # what is on HDFS first: a file that comes later is not asked for; after a merge between
        # the two questions both are asked again
        return reader == STREAM or newest_files(_tables(self._stack)) <= _shown(self._stack)


def _log_ends(stack: OwnStack) -> dict[tuple[int, str], int]:
    """Give the end of the last whole line of each log file, by inode and name."""
    ends = {}
    for path in stack.places.order_files():
        ends[path.stat().st_ino, path.name] = complete_end(path)
    return ends


def newest_files(paths: Iterable[str]) -> set[str]:
    """Give the data files that are in the highest generation of their partition, by path."""
    files: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for path in paths:
        partition, _, rest = path.partition("/g=")
        number, _, name = rest.partition("/")
        if name.endswith(".parquet"):
            files[partition][path] = int(number)
    return {
        path
        for found in files.values()
        for path, number in found.items()
        if number == max(found.values())
    }


def _tables(stack: OwnStack) -> Iterator[str]:
    for path, _ in Hdfs(stack.settings.webhdfs, user="root").walk(TRANSACTIONS):
        yield path


def _shown(stack: OwnStack) -> set[str]:
    """Ask Hive for the files whose rows it shows, by path."""
    with connect(*stack.settings.hive, timeout=_HIVE_SECONDS) as session:
        return {urlsplit(file).path for (file,) in session.rows(_FILES)}
