"""One order through every hop, with today's time, each hop asked by its own client."""

import json
import time
import uuid
from decimal import Decimal

import happybase
from confluent_kafka import Consumer, TopicPartition

from drill.stack import OwnStack
from pipeline.places import RAW
from pipeline.programme import calendar, read_programme
from pipeline.settings import ROOT
from pipeline.topic import Topic
from pipeline.webhdfs import Hdfs
from tests.waiting import wait_until


def lines_in_topic(stack: OwnStack) -> list[bytes]:
    topic = Topic(stack.settings.kafka, stack.settings.topic)
    consumer = Consumer({"bootstrap.servers": topic.servers, "group.id": uuid.uuid4().hex,
                         "enable.auto.commit": False})  # fmt: skip
    found = []
    for partition, end in topic.ends().items():
        consumer.assign([TopicPartition(topic.name, partition, 0)])
        position = 0
        while position < end:
            message = consumer.poll(10)
            assert message is not None
            assert message.error() is None
            found.append(message.value() or b"")
            position = (message.offset() or 0) + 1
    consumer.close()
    return found


def test_one_order_is_seen_at_every_hop(stack: OwnStack) -> None:
    order_id = f"PATH-{uuid.uuid4().hex[:12]}"
    now = int(time.time() * 1000)
    first = f"7|{now}|{order_id}|1|SALE|3|caffè latte ☕|2|140.00|"
    second = f"7|{now}|{order_id}|2|SALE|3|espresso|1|65.50|"
    foreign = f"70|{now}|{order_id}-X|1|SALE|3|mocha|1|80.00|"
    stack.ok("produce", "--from", "-", stdin="\n".join([first, second, foreign]) + "\n")

    files = sorted(stack.places.order_log.glob("orders-*.log"))
    assert first.encode() + b"\n" in b"".join(file.read_bytes() for file in files)

    wait_until("topic", lambda: {first.encode(), second.encode()} <= set(lines_in_topic(stack)))

    hdfs = Hdfs(stack.settings.webhdfs, user="flume")

    def raw() -> set[bytes]:
        return {line for path, _ in hdfs.walk(RAW) for line in hdfs.read(path).split(b"\n")}

    wait_until("HDFS raw", lambda: {first.encode(), second.encode()} <= raw())

    connection = happybase.Connection("127.0.0.1", stack.settings.thrift_port)
    key = "|".join(first.split("|")[:5]).encode()
    wait_until("HBase", lambda: bool(connection.table("orders").row(key)))
    assert connection.table("orders").row(key) == {
        b"d:store_id": b"3", b"d:item": "caffè latte ☕".encode(), b"d:quantity": b"2",
        b"d:amount": b"140.00", b"d:ref": b"",
    }  # fmt: skip
    connection.close()

    today = calendar(read_programme(ROOT / "programme.toml")).business_date(now)
    question = (
        "select cust_id, odr_menu, odr_prc, order_id, line_no, event, store_id, quantity, amount,"
        f" ref, ordered_at, odr_dt from transactions_cln where order_id = '{order_id}'"
        " order by line_no"
    )
    wait_until("Hive", lambda: len(stack.sql(question)) == 2)
    rows = stack.sql(question)
    assert rows[0] | {"ordered_at": None} == {
        "cust_id": 7, "odr_menu": "caffè latte ☕", "odr_prc": "140.00", "order_id": order_id,
        "line_no": 1, "event": "SALE", "store_id": 3, "quantity": 2, "amount": "140.00",
        "ref": None, "ordered_at": None, "odr_dt": today.isoformat(),
    }  # fmt: skip
    assert sum(Decimal(row["odr_prc"]) for row in rows) == Decimal("205.50")

    orders = json.loads(stack.ok("orders", "7", "--last", "1", "--json"))
    text = json.dumps(orders)
    assert order_id in text
    assert f"{order_id}-X" not in text, "7| never matches customer 70"
