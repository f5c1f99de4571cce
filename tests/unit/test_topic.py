"""Kafka away: every question ends in a sentence."""

import socket
from typing import Any

import pytest
from confluent_kafka import TopicPartition

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


def test_a_rewind_goes_back_by_time_and_lines_and_never_forward(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By partition: the offset at that time (-1: nothing since), the committed one, the bounds."""
    cases = {
        0: (900, 2_000, (0, 2_000), 389),
        1: (-1, 2_000, (0, 2_000), 1_489),
        2: (900, 700, (0, 2_000), 189),
        3: (900, 2_000, (600, 2_000), 600),
        4: (900, 500, (600, 2_000), 500),
    }

    class Asked:
        def __init__(self, _: object) -> None: ...

        def offsets_for_times(self, parts: list[Any], timeout: float) -> list[Any]:
            assert timeout
            assert {part.offset for part in parts} == {123}
            return [TopicPartition("orders", p.partition, cases[p.partition][0]) for p in parts]

        def close(self) -> None: ...

    done: dict[int, int] = {}
    monkeypatch.setattr("pipeline.topic.Consumer", Asked)
    monkeypatch.setattr(Topic, "committed", lambda *_: {p: case[1] for p, case in cases.items()})
    monkeypatch.setattr(Topic, "bounds", lambda *_: {p: case[2] for p, case in cases.items()})
    monkeypatch.setattr(
        Topic, "_commit", lambda _, __, back: done.update((p.partition, p.offset) for p in back)
    )
    Topic("nowhere:1", "orders").rewind("flume-hdfs", 123, 511)
    assert done == {partition: case[3] for partition, case in cases.items()}
