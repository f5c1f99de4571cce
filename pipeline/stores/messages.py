"""The topic as lines, each with its partition, offset and append time."""

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
from confluent_kafka import Consumer, KafkaException, TopicPartition

from pipeline.errors import Unavailable
from pipeline.topic import Topic

_AT_ONCE: Final = 1_000
_SILENCE_S: Final = 30


def read_messages(
    topic: Topic, start: dict[int, int], stop: dict[int, int], at_once: int = _AT_ONCE
) -> Iterator[pa.Table]:
    """Give the messages from `start` to before `stop`, by partition, without joining a group; at
    most at_once in a table.

    Columns: line, p (partition), off (offset), ts (append time, epoch milliseconds). An empty
    line is a message with an empty value.
    """
    left = {p: stop[p] for p in stop if start[p] < stop[p]}
    at = dict(start)
    consumer = Consumer({
        "bootstrap.servers": topic.servers, "group.id": "loyalty-verify", "log_level": 0,
        "enable.auto.commit": False, "auto.offset.reset": "error",
        "queued.max.messages.kbytes": 16_384, "fetch.wait.max.ms": 100,
    })  # fmt: skip
    try:
        consumer.assign([TopicPartition(topic.name, p, start[p]) for p in left])
        while left:
            # no more than there is: the last ones would be waited for in vain
            lacking = sum(left[p] - at[p] for p in left)
            messages = consumer.consume(min(at_once, lacking), timeout=1)
            if not messages:
                messages = _wait(consumer, topic)
            yield _table(messages, left, topic)
            for partition, last in _last_offsets(messages).items():
                at[partition] = last + 1
                if partition in left and last + 1 >= left[partition]:
                    consumer.pause([TopicPartition(topic.name, partition)])
                    del left[partition]
    except KafkaException as error:
        raise _away(topic, error) from error
    finally:
        consumer.close()


def _wait(consumer: Any, topic: Topic) -> list[Any]:
    messages: list[Any] = consumer.consume(1, timeout=_SILENCE_S)
    if not messages:
        raise _away(topic, f"no message within {_SILENCE_S} s")
    return messages


def _table(messages: list[Any], stop: dict[int, int], topic: Topic) -> pa.Table:
    for message in messages:
        if message.error() is not None:
            raise _away(topic, message.error())
    taken = [m for m in messages if m.offset() < stop.get(m.partition(), 0)]
    return pa.table({
        "line": pa.array([m.value() or b"" for m in taken], pa.binary()),
        "p": pa.array([m.partition() for m in taken], pa.int32()),
        "off": pa.array([m.offset() for m in taken], pa.int64()),
        "ts": pa.array([m.timestamp()[1] for m in taken], pa.int64()),
    })  # fmt: skip


def _last_offsets(messages: list[Any]) -> dict[int, int]:
    return {m.partition(): m.offset() for m in messages}


def _away(topic: Topic, why: object) -> Unavailable:
    return Unavailable(
        f"Topic {topic.name} could not be read to its end ({why}); "
        "`./loyalty status` shows Kafka's state, then try again."
    )
