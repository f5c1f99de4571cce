"""Lines that Kafka has deleted before a reader came to them are counted, on a topic of its own."""

import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cluster.findings import read_findings, read_reasons
from cluster.movement import expired_unread, expiry_sentence
from drill.stack import OwnStack
from pipeline.topic import Topic


def test_lines_that_expired_unread_are_counted(stack: OwnStack) -> None:
    servers, name = stack.settings.kafka, f"expiry-{uuid.uuid4().hex[:8]}"
    topic, group = Topic(servers, name), f"{name}-reader"
    topic.make(1)
    producer = Producer({"bootstrap.servers": servers})
    for number in range(10):
        producer.produce(name, str(number))
    assert producer.flush(20) == 0
    consumer = Consumer({"bootstrap.servers": servers, "group.id": group})
    consumer.commit(offsets=[TopicPartition(name, 0, 3)], asynchronous=False)
    consumer.close()
    assert expired_unread(topic, [group]) == {}

    admin = AdminClient({"bootstrap.servers": servers})
    for until, missing in ((2, {}), (3, {}), (7, {group: 4})):
        place = TopicPartition(name, 0, until)
        admin.delete_records([place])[place].result(20)
        assert expired_unread(topic, [group, "nobody"]) == missing
    admin.delete_topics([name])[name].result(20)


def test_up_and_status_say_it(stack: OwnStack) -> None:
    assert "Kafka has deleted" not in read_reasons(stack.places, read_findings(stack.places)).get(
        "flume", ""
    )
    sentence = expiry_sentence({"flume-hdfs": 4})
    assert sentence.startswith("Kafka has deleted 4 lines before flume-hdfs has read them")
    file = stack.places.run / "expired.txt"
    assert file.read_text() == "", "looked at before Flume's start, nothing found"
    file.write_text(sentence)
    try:
        assert sentence in " ".join(stack.ok("status").split())
    finally:
        file.write_text("")
