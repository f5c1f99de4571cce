"""The topic and its readers' offsets, through confluent-kafka: no stage asks Kafka's admin but here
(a drill that deletes the topic does, drill/losses.py).

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
        # most brokers make a topic, in their own way, for whoever asks about one that is not there
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 0,
                            "allow.auto.create.topics": False,
                            "socket.timeout.ms": int(self.timeout * 1000)})  # fmt: skip

    def _away(self, error: Exception) -> Unavailable:
        # a future that nobody answers raises a TimeoutError without a word
        why = str(error) or f"nothing within {self.timeout:g} s"
        return Unavailable(
            f"Kafka does not answer at {self.servers} ({why}); `./loyalty status` shows its state."
        )

    def make(self, partitions: int, retention_days: int | None = None) -> None:
        """Make the topic, with as many copies as is the broker's custom, and keeping lines as long
        as that (None: of a broker that is configured so); one that is there stays as it is.
        """
        config = {"message.timestamp.type": "LogAppendTime"}
        if retention_days is not None:
            config["retention.ms"] = str(retention_days * 86_400_000)
        admin = self._admin()
        new = NewTopic(self.name, num_partitions=partitions, config=config)
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
        # not by an AdminClient: when its question about a group is late, librdkafka may abort the
        # whole process (its issues 3663 and 4605)
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": group,
                             "enable.auto.commit": False, "log_level": 0})  # fmt: skip
        try:
            parts = [TopicPartition(self.name, part) for part in self.leaders()]
            found = consumer.committed(parts, timeout=self.timeout) if parts else []
        except KafkaException as error:
            raise self._away(error) from error
        finally:
            consumer.close()
        return {p.partition: p.offset for p in found if p.offset >= 0}

    def rewind(self, group: str, at_ms: int, lines: int) -> None:
        """Let a group read again what was appended from then on (epoch ms), and so many lines of
        each partition before that; never skip a line.

        Raises Unavailable as long as the group has members, too.
        """
        committed, bounds = self.committed(group), self.bounds()
        parts = [TopicPartition(self.name, part, at_ms) for part in committed]
        if not parts:
            return
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "loyalty-ends",
                             "enable.auto.commit": False, "log_level": 0})  # fmt: skip
        try:
            found = consumer.offsets_for_times(parts, timeout=self.timeout)
            back = []
            for p in found:
                (first, end), read = bounds[p.partition], committed[p.partition]
                since = p.offset if p.offset >= 0 else end  # -1: nothing was appended since
                at = min(read, max(first, min(read, since) - lines))
                back.append(TopicPartition(self.name, p.partition, at))
            self._commit(group, back)
        except (KafkaException, TimeoutError) as error:
            raise self._away(error) from error
        finally:
            consumer.close()

    def _commit(self, group: str, offsets: list[TopicPartition]) -> None:
        """Set a group's offsets in its place; raises KafkaException or TimeoutError."""
        if not offsets:
            return
        admin = self._admin()
        asked = [ConsumerGroupTopicPartitions(group, offsets)]
        answer = admin.alter_consumer_group_offsets(asked)[group].result(self.timeout)
        for part in answer.topic_partitions:
            if part.error:
                raise KafkaException(part.error)

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


def plain_id(identity: str) -> str:
    """Give the topic's id of what rows and records bear: the id, or ID.2, ID.3, … after its end has
    gone back (streaming/topic_name.py).
    """
    return identity.partition(".")[0]


def name_number(name: str) -> int:
    """Read which of a topic's names it is: 1 for its id alone, N for ID.N."""
    return int(name.partition(".")[2] or 1)


Offsets = Mapping[Any, int]
"""Positions by partition (or by file)."""


def has_reached(offsets: Offsets, ends: Offsets) -> bool:
    """Tell whether a reader's offsets are at or past the ends, in every partition."""
    return all(offsets.get(partition, 0) >= end for partition, end in ends.items())
