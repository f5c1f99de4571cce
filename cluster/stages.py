"""What a stage has to show after its start before it counts as begun.

A question is got just before the start, and raises LoyaltyError until this life has shown itself.
"""

import time
from collections.abc import Callable

from hive.runs import silence
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.topic import GROUPS, Topic
from streaming.progress import read_progress

Question = Callable[[], None]


def of_flume(topic: Topic) -> Question:
    """Both sinks have new members."""
    before = {group: topic.members(group) for group in GROUPS}

    def question() -> None:
        for group in GROUPS:
            if not topic.members(group) - before[group]:
                raise LoyaltyError(f"{group} has no new member yet")

    return question


def of_streaming(places: Places) -> Question:
    """The query has told of its progress."""
    begun = time.time()

    def question() -> None:
        progress = read_progress(places)
        if progress is None or progress.started_at < begun:
            raise LoyaltyError("the query has not started")

    return question


def of_schedule(places: Places) -> Question:
    """The schedule has said something."""
    begun = time.time()

    def question() -> None:
        if silence(places) > time.time() - begun:
            raise LoyaltyError("the schedule has not begun")

    return question
