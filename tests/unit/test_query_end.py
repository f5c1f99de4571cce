"""The stream's driver ends when its query has, and says why: one sentence, unless it is a bug."""

import os
import subprocess
import sys
from threading import Event
from typing import Final, cast

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql.streaming.query import StreamingQuery

from pipeline.errors import LoyaltyError
from pipeline.settings import ROOT
from streaming.__main__ import attend, cause_of
from streaming.partitions import PartitionFollower
from streaming.rounds import Rounds

HEAD: Final = (
    "[STREAM_FAILED] Query [id = 1, runId = 2] terminated with exception: "
    "[FOREACH_BATCH_USER_FUNCTION_ERROR] An error occurred in the user provided function in "
    "foreach batch sink. Reason: An exception was raised by the Python Proxy. Return Message: "
    "Traceback (most recent call last):\n"
    '  File "/x/py4j/clientserver.py", line 644, in _call_proxy\n'
    "    return_value = getattr(self.pool[obj_id], method)(*params)\n"
)
TAIL: Final = "\n SQLSTATE: 39000 SQLSTATE: XXKST\n=== Streaming Query ===\nIdentifier: [id = 1]\n"


def test_an_error_of_ours_is_its_sentence() -> None:
    replaced = "streaming.query.TopicReplaced: Topic orders was made anew while it was read; wait."
    assert cause_of(HEAD + replaced + TAIL) == replaced.partition(": ")[2]
    # the last one counts: the others are what it came from
    away = "pipeline.errors.Unavailable: HDFS refused delete /a: Name node is in safe mode."
    both = f"{HEAD}{away}\n\nThe above exception was the direct cause of …\n{replaced}{TAIL}"
    assert cause_of(both) == replaced.partition(": ")[2]


def test_an_error_of_sparks_is_its_first_line() -> None:
    assert cause_of("[STREAM_FAILED] Query [id = 1] lost its broker" + TAIL) == (
        "[STREAM_FAILED] Query [id = 1] lost its broker"
    )


def test_a_bug_keeps_its_traceback() -> None:
    assert cause_of(f"{HEAD}KeyError: 'amount'{TAIL}") == ""


class Query:
    """Spark's handle of a query that runs for some seconds, then has ended, by an error or not."""

    def __init__(self, seconds: int = 0, error: str = "") -> None:
        self.seconds, self.error = seconds, error

    def awaitTermination(self, timeout: int) -> bool:  # noqa: N802  # Spark's name
        """Give whether it has ended within the timeout; raises its error."""
        assert self.seconds >= 0, "asked again after its end"
        self.seconds -= timeout
        if self.seconds < 0 and self.error:
            raise StreamingQueryException(message=self.error)
        return self.seconds < 0


class Beside:
    """What runs beside the query: the follower of partitions, and the rounds of the mergers."""

    def __init__(self, *, lives: bool = True) -> None:
        self.lives, self.looks = lives, 0

    def is_alive(self) -> bool:
        """Tell whether the follower does."""
        return self.lives

    def look(self) -> None:
        """Count a round."""
        self.looks += 1
        assert self.looks < 100, "nobody attends to the query"


def attend_to(query: Query, beside: Beside, asked_to_end: Event | None = None) -> None:
    attend(
        cast("StreamingQuery", query), cast("PartitionFollower", beside), cast("Rounds", beside),
        asked_to_end or Event(),
    )  # fmt: skip


def test_the_driver_attends_to_its_query_until_that_has_ended() -> None:
    beside = Beside()
    with pytest.raises(LoyaltyError, match="The query ended by itself; it is started again"):
        attend_to(Query(seconds=3), beside)
    assert beside.looks == 3


def test_the_error_that_ended_a_query_is_in_the_sentence() -> None:
    error = f"{HEAD}streaming.query.TopicReplaced: Topic orders was made anew.{TAIL}"
    with pytest.raises(LoyaltyError, match="The query ended, it is started again: Topic orders"):
        attend_to(Query(error=error), Beside())
    with pytest.raises(StreamingQueryException, match="KeyError: 'amount'"):
        attend_to(Query(error=f"{HEAD}KeyError: 'amount'{TAIL}"), Beside())


def test_the_driver_ends_too_when_nobody_makes_hive_follow_any_more() -> None:
    with pytest.raises(LoyaltyError, match="What makes Hive follow ended by itself"):
        attend_to(Query(seconds=3), Beside(lives=False))


def test_who_was_asked_to_end_says_nothing() -> None:
    asked_to_end = Event()
    asked_to_end.set()
    beside = Beside()
    attend_to(Query(), beside, asked_to_end)
    assert beside.looks == 0


def test_the_drivers_process_ends_with_the_sentence_and_code_1() -> None:
    """Although the thread that makes Hive follow lives on."""
    script = """
import streaming.__main__ as driver
from pipeline.errors import Unavailable
from pipeline.webhdfs import Hdfs
from tests.unit.test_query_end import Beside, Query

def refuse():
    raise Unavailable("HiveServer2 does not answer.")

def run(settings, asked_to_end):
    hdfs = Hdfs(settings.webhdfs, user="spark")
    follower = driver.PartitionFollower(refuse, hdfs, settings.hdfs, {})
    follower.start()
    driver.attend(Query(seconds=1), follower, Beside(), asked_to_end)

driver.run = run
driver.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "ERROR The query ended by itself; it is started again."
    )
