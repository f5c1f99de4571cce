"""How the stream tries again, how it ends, and that a thread which died is seen."""

import time
from threading import Event

import pytest
from pyspark.sql import SparkSession

from hive.session import Session
from pipeline.errors import Unavailable
from pipeline.topic import Topic
from pipeline.webhdfs import Hdfs
from streaming.batches import BatchWriter, Tables
from streaming.partitions import PartitionFollower
from streaming.patience import patiently
from streaming.query import Batches, Source, Stopping
from streaming.staging import Record

NOBODY = "http://127.0.0.1:1"
"""A port at which nothing answers."""


class Away:
    """An action that finds its server away some times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.calls = 0

    def __call__(self) -> int:
        """Raise, or give the number of calls."""
        self.calls += 1
        if self.calls <= self.times:
            raise Unavailable("The server is away; wait for it.")
        return self.calls


def test_it_is_patient_also_while_the_preparation_finds_nobody() -> None:
    action, prepare = Away(1), Away(1)
    assert patiently(action, prepare, 60, Event()) == 2
    # the second attempt ended in the preparation, the third had both
    assert (action.calls, prepare.calls) == (2, 2)


def test_patience_ends_and_a_stop_ends_it_at_once() -> None:
    action = Away(100)
    with pytest.raises(Unavailable):
        patiently(action, Away(0), 0.1, Event())
    assert action.calls == 2
    stopping = Event()
    stopping.set()
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        patiently(Away(100), Away(0), 60, stopping)
    assert time.monotonic() - begun < 1


def test_a_batch_that_begins_after_the_stop_is_not_committed(spark: SparkSession) -> None:
    given: list[Record] = []
    writer = BatchWriter(Hdfs(NOBODY, user="spark"), Tables("/t", "/q", "/s"), lambda _: None)
    batches = Batches(Source(Topic("127.0.0.1:1", "orders"), "t", 10), writer, given.append)
    batches(spark.range(0), 0)
    batches.stop(seconds=1)
    with pytest.raises(Stopping):
        batches(spark.range(0), 1)
    # nothing is held: stopped again, it ends at once
    begun = time.monotonic()
    batches.stop(seconds=5)
    assert time.monotonic() - begun < 1
    assert given == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_follower_that_died_is_seen() -> None:
    def broken() -> Session:
        raise KeyError("Location:")

    follower = PartitionFollower(broken, Hdfs(NOBODY, user="spark"), "hdfs://127.0.0.1:1", {})
    follower.start()
    end = time.monotonic() + 10
    while follower.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    assert not follower.is_alive()
