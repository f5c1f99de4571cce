"""A member's orders at the till: HBase through its Thrift server."""

import json
import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from drill.stack import OwnStack
from hbase.codec import to_line
from hbase.table import Tables, make_tables, probe
from pipeline.places import ORDERS_TABLE, PROBE_TABLE
from tests.waiting import wait_until


@pytest.fixture
def tables(stack: OwnStack) -> Iterator[Tables]:
    with Tables("127.0.0.1", stack.settings.thrift_port) as connection:
        yield connection


def new_customer() -> int:
    return 1_000_000_000 + uuid.uuid4().int % 1_000_000_000


def orders_of(stack: OwnStack, customer: int, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(stack.ok("orders", str(customer), "--json", *options))
    return found


def test_orders_come_newest_first_and_none_from_the_future(stack: OwnStack, tables: Tables) -> None:
    customer, now = new_customer(), int(time.time() * 1000)
    run = uuid.uuid4().hex[:8]

    def line(minutes: float, order: str, line_no: int, item: str) -> str:
        at = now + int(minutes * 60_000)
        return f"{customer}|{at}|{order}-{run}|{line_no}|SALE|3|{item}|1|70.00|"

    written = [
        line(-60, "OLD", 1, "latte"),
        *(line(-1, "MANY", n, f"item {n}") for n in (10, 9, 2, 1, 11)),
        line(5, "AHEAD", 1, "caffè ☕"),
        line(60, "FUTURE", 1, "mocha"),
        line(-1, "OTHER", 1, "tea").replace(f"{customer}|", f"{str(customer)[:-1]}|"),
    ]
    stack.ok("produce", "--from", "-", stdin="\n".join(written) + "\n")
    wait_until("HBase", lambda: len(orders_of(stack, customer)) == 3)
    wait_until(
        "all lines", lambda: [len(o["lines"]) for o in orders_of(stack, customer)] == [1, 5, 1]
    )

    def in_hbase() -> bool:
        keys = ["|".join(text.split("|")[:5]).encode() for text in written]
        found = [to_line(key, tables.get(ORDERS_TABLE, key)) for key in keys]
        return found == [text.encode() for text in written]

    wait_until("every line, the future one too", in_hbase)
    found = orders_of(stack, customer)
    assert [order["order_id"] for order in found] == [
        f"{o}-{run}" for o in ("AHEAD", "MANY", "OLD")
    ]
    assert [entry["line_no"] for entry in found[1]["lines"]] == [1, 2, 9, 10, 11]
    assert found[0]["lines"] == [
        {"line_no": 1, "event": "SALE", "store_id": 3, "item": "caffè ☕", "quantity": 1,
         "amount": "70.00", "ref": None}
    ]  # fmt: skip
    assert orders_of(stack, customer, "--last", "1") == found[:1]
    assert orders_of(stack, customer, "--last", "2") == found[:2]
    header, *rows = stack.ok("orders", str(customer)).splitlines()
    assert header.split()[:2] == ["ordered_at", "order_id"]
    assert len(rows) == 7


def test_the_look_up_takes_milliseconds(stack: OwnStack) -> None:
    done = stack.run("orders", "7")
    assert done.returncode == 0
    took = done.stderr.split("looked up in ")[1].split(" ms")[0]
    assert float(took) < 500


def test_a_member_without_orders_is_told_so(stack: OwnStack) -> None:
    done = stack.run("orders", str(new_customer()))
    assert (done.returncode, done.stdout) == (0, "")
    assert "no orders" in done.stderr


@pytest.mark.parametrize("word", ["abc", "", "0", "07", "-7", "7|", "12345678901", "٧"])
def test_what_is_no_customer_number_is_wrong_use(stack: OwnStack, word: str) -> None:
    done = stack.run("orders", "--", word)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_tables_are_there_with_one_version_and_made_again_stay(
    stack: OwnStack, tables: Tables
) -> None:
    make_tables("127.0.0.1", stack.settings.thrift_port)
    for name in (ORDERS_TABLE, PROBE_TABLE):
        (family,) = tables._connection.table(name).families().values()
        assert (family["name"], family["max_versions"]) == (b"d:", 1)


def test_the_probe_writes_and_reads(stack: OwnStack, tables: Tables) -> None:
    begun = time.time_ns()
    probe("127.0.0.1", stack.settings.thrift_port)
    found = tables._connection.table(PROBE_TABLE).scan()
    written = [int(cells[b"d:written"]) for _, cells in found]
    assert max(written) > begun


def test_a_read_is_tried_again_on_a_new_connection(tables: Tables) -> None:
    """A connection that was idle for a minute is dead; here it is cut."""
    assert tables.get(PROBE_TABLE, b"nobody") == {}
    tables._connection.transport.sock.shutdown(socket.SHUT_RDWR)
    assert tables.get(PROBE_TABLE, b"nobody") == {}
