"""Across midnight: an order belongs to its own side of it, at every hop, also where clocks change.

The oracle is zoneinfo alone: no code of the pipeline says here which date an instant has.
"""

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import xor
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drill.stack import OwnStack
from pipeline.programme import read_programme
from tests.waiting import wait_until

DAY = timedelta(days=1)
HOUR_MS = 3_600_000
OLD = date(2019, 8, 15)
HOPS = ("log files", "topic", "HDFS raw", "HBase", "transactions_cln")
STRANGER = 9_000_000
"""From here on no customer file has an id: nobody's spend is changed."""

Orders = dict[date, list[bytes]]
"""Lines by the business date that they have to get."""


def midnight(day: date, zone: ZoneInfo) -> int:
    """Give a day's first instant in epoch milliseconds."""
    return int(datetime.combine(day, datetime.min.time(), tzinfo=zone).timestamp() * 1000)


def changes(year: int, zone: ZoneInfo) -> list[date]:
    """List the days of a year that have not 24 hours; none where the zone has no summer time."""
    days = [date(year, 1, 1) + DAY * number for number in range(365)]
    return [d for d in days if midnight(d + DAY, zone) - midnight(d, zone) != 24 * HOUR_MS]


def instants(today: date, zone: ZoneInfo) -> Iterator[tuple[date, int]]:
    """Give the last millisecond before and the first after each midnight, with their dates.

    Of yesterday and of 2019; and around the days of 23 and 25 hours, with each of their hours.
    """
    changed = changes(OLD.year, zone)
    for day in (today, OLD, *changed, *(day + DAY for day in changed)):
        yield day - DAY, midnight(day, zone) - 1
        yield day, midnight(day, zone)
    for day in changed:
        for at in range(midnight(day, zone) + HOUR_MS, midnight(day + DAY, zone), HOUR_MS):
            yield day, at


@pytest.fixture(scope="module")
def zone(stack: OwnStack) -> ZoneInfo:
    return ZoneInfo(read_programme(stack.settings.programme).time_zone)


@pytest.fixture(scope="module")
def prefix() -> str:
    return f"MID-{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def orders(zone: ZoneInfo, prefix: str) -> Orders:
    """Make an order of another amount for each of the instants."""
    made: Orders = defaultdict(list)
    for number, (day, at) in enumerate(instants(datetime.now(tz=zone).date(), zone)):
        amount = f"{number + 1}.{number:02d}"
        line = f"{STRANGER + number}|{at}|{prefix}-{number}|1|SALE|3|latte|1|{amount}|"
        made[day].append(line.encode())
    return made


def figures(document: dict[str, Any]) -> dict[tuple[str, str], tuple[int, Decimal, int]]:
    """Give verify's distinct lines, amount and content hash, by hop and date."""
    return {
        (hop["hop"], day["date"]): (
            day["distinct"], Decimal(day["amount"]), int(day["hash"], 16)
        )
        for hop in document["hops"]
        for day in hop["dates"]
    }  # fmt: skip


def of_lines(lines: list[bytes]) -> tuple[int, Decimal, int]:
    """Reckon the same of lines, none of them twice."""
    amounts = [Decimal(line.split(b"|")[8].decode()) for line in lines]
    digests = [hashlib.md5(line, usedforsecurity=False).digest() for line in lines]
    # verify's number of a digest begins with its last byte
    numbers = [int.from_bytes(digest, "little") for digest in digests]
    return len(lines), sum(amounts, Decimal(0)), reduce(xor, numbers)


def test_each_order_is_of_its_own_date_at_every_hop(
    stack: OwnStack, zone: ZoneInfo, prefix: str, orders: Orders
) -> None:
    if zone.key == "America/New_York":
        assert [len(orders[day]) for day in changes(OLD.year, zone)] == [23 + 1, 25 + 1]
    before = figures(json.loads(stack.ok("verify", "--wait", "--json")))
    lines = [line.decode() for day in orders for line in orders[day]]
    stack.ok("produce", "--from", "-", stdin="".join(f"{line}\n" for line in lines))
    found = json.loads(stack.ok("verify", "--wait", "--json"))
    assert found["ok"], found["differences"]
    after = figures(found)
    for day, written in orders.items():
        count, amount, digest = of_lines(written)
        for hop in HOPS:
            was = before.get((hop, f"{day}"), (0, Decimal(0), 0))
            wanted = (was[0] + count, was[1] + amount, was[2] ^ digest)
            assert after[hop, f"{day}"] == wanted, (hop, day)

    statement = (
        "select cast(odr_dt as string) d, count(*) n, sum(odr_prc) s from transactions_cln"
        f" where order_id like '{prefix}-%' group by odr_dt"
    )

    def in_hive() -> dict[str, tuple[int, Decimal]]:
        rows = stack.sql(statement)
        return {row["d"]: (row["n"], Decimal(row["s"])) for row in rows}

    # a switch of a partition may be pending
    wait_until("Hive has all", lambda: sum(n for n, _ in in_hive().values()) == len(lines))
    wanted_rows = {f"{day}": of_lines(written)[:2] for day, written in orders.items()}
    assert in_hive() == wanted_rows
