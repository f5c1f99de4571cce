"""The topic and its readers' offsets, through confluent-kafka: nothing else asks Kafka's admin.

Every call uses a client of its own: one that has seen the broker die may answer nothing for
minutes afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.errors import Unavailable

GROUPS: Final = ("flume-hdfs", "flume-hbase")
"""The consumer groups of the agent's two sinks."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of one cluster; a call that takes longer than `timeout` seconds raises."""

    servers: str
    name: str
    timeout: float = 5

    def _admin(self) -> Any:
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 0,
                            "socket.timeout.ms": int(self.timeout * 1000)})  # fmt: skip

    def _away(self, error: Exception) -> Unavailable:
        # a future that nobody answers raises a TimeoutError without a word
        why = str(error) or f"nothing within {self.timeout:g} s"
        return Unavailable(
            f"Kafka does not answer at {self.servers} ({why}); `./loyalty status` shows its state."
        )

    def make(self, partitions: int) -> None:
        """Make the topic; one that is there stays as it is."""
        config = {"message.timestamp.type": "LogAppendTime"}
        admin = self._admin()
        new = NewTopic(self.name, num_partitions=partitions, replication_factor=1, config=config)
        try:
            admin.create_topics([new], operation_timeout=self.timeout)[self.name].result(
                self.timeout
            )
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise self._away(error) from error
        except TimeoutError as error:
            raise self._away(error) from error

    def leaders(self) -> dict[int, int]:
        """Give the leader of each partition (-1: none); {} while there is no such topic."""
        try:
            found = self._admin().list_topics(self.name, timeout=self.timeout)
        except KafkaException as error:
            raise self._away(error) from error
        topic = found.topics[self.name]
        return {} if topic.error else {p: meta.leader for p, meta in topic.partitions.items()}

    def id(self) -> str:
        """Give the topic's UUID, as Kafka writes it; a topic made anew has another one."""
        admin = self._admin()
        try:
            answer = admin.describe_topics(TopicCollection([self.name]))[self.name]
            return str(answer.result(self.timeout).topic_id)
        except (KafkaException, TimeoutError) as error:
            raise self._away(error) from error

    def ends(self) -> dict[int, int]:
        """Give each partition's end: the offset that its next line will get."""
        return {partition: end for partition, (_, end) in self.bounds().items()}

    def bounds(self) -> dict[int, tuple[int, int]]:
        """Give each partition's first offset that is still held, and its end."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "loyalty-ends",
                             "enable.auto.commit": False, "log_level": 0})  # fmt: skip
        try:
            return {
                partition: consumer.get_watermark_offsets(
                    TopicPartition(self.name, partition), timeout=self.timeout, cached=False
                )
                for partition in self.leaders()
            }
        except KafkaException as error:
            raise self._away(error) from error
        finally:
            consumer.close()

    def committed(self, group: str) -> dict[int, int]:
        """Give the offsets that a group has committed; partitions without one are left out."""
        admin = self._admin()
        request = [ConsumerGroupTopicPartitions(group)]
        try:
            answer = admin.list_consumer_group_offsets(request)[group].result(self.timeout)
        except (KafkaException, TimeoutError) as error:
            raise self._away(error) from error
        return {
            p.partition: p.offset
            for p in answer.topic_partitions
            if p.topic == self.name and p.offset >= 0
        }

    def members(self, group: str) -> set[str]:
        """Give the member ids of a stable group, the empty set for any other state."""
        admin = self._admin()
        try:
            answer = admin.describe_consumer_groups([group])[group].result(self.timeout)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return set()
            raise self._away(error) from error
        except TimeoutError as error:
            raise self._away(error) from error
        stable = answer.state.name == "STABLE"
        return {member.member_id for member in answer.members} if stable else set()


Offsets = Mapping[Any, int]
"""Positions by partition (or by file)."""


def has_reached(offsets: Offsets, ends: Offsets) -> bool:
    """Tell whether a reader's offsets are at or past the ends, in every partition."""
    return all(offsets.get(partition, 0) >= end for partition, end in ends.items())
