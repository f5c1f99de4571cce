"""Kafka away: every question ends in a sentence."""

import socket

import pytest

from pipeline.errors import Unavailable
from pipeline.topic import Topic


@pytest.mark.parametrize(
    ("question", "arguments"),
    [("id", ()), ("make", (1,)), ("leaders", ()), ("ends", ()), ("committed", ("flume-hdfs",)),
     ("members", ("flume-hdfs",))],
)  # fmt: skip
def test_nobody_answers(question: str, arguments: tuple[object, ...]) -> None:
    with socket.socket() as held:  # bound, but nobody listens there
        held.bind(("127.0.0.1", 0))
        topic = Topic(f"127.0.0.1:{held.getsockname()[1]}", "orders", timeout=0.5)
        with pytest.raises(Unavailable, match=r"Kafka does not answer at .* \(.+\)"):
            getattr(topic, question)(*arguments)
