"""The sample queries on a week of real receipts and some lines of ours, against plain Python."""

import csv
import json
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from drill.stack import OwnStack
from tests.integration.oracle import Reckoning
from tests.shared_data import CUSTOMERS, PRODUCTS, RECEIPTS
from tests.waiting import wait_until

UNTIL = "2019-04-09"
ALL = {"until": UNTIL, "days": "9"}
NEW_YORK = ZoneInfo("America/New_York")
Answer = list[dict[str, Any]]


@dataclass(frozen=True)
class Line:
    """A line as the queries see it; customer 0 is a walk-in. signed: minus for a refund."""

    customer: int
    day: str
    hour: int
    order_id: str
    event: str
    store: int
    item: str
    quantity: int
    signed: Decimal


def read_receipts() -> list[Line]:
    """Give every line of the export, read with no code of the pipeline."""
    with PRODUCTS.open(newline="", encoding="utf-8-sig") as file:
        items = {row["product_id"]: row["product"] for row in csv.DictReader(file)}
    with RECEIPTS.open(newline="", encoding="utf-8-sig") as file:
        return [
            Line(
                int(r["customer_id"]), r["transaction_date"], int(r["transaction_time"][:2]),
                "-".join((r["sales_outlet_id"], r["transaction_date"], r["transaction_id"],
                          r["order"])),
                "SALE", int(r["sales_outlet_id"]), items[r["product_id"]], int(r["quantity"]),
                Decimal(r["line_item_amount"]),
            )
            for r in csv.DictReader(file)
        ]  # fmt: skip


def members() -> dict[int, tuple[str, int, str, date | None]]:
    """Give name, home store, gender and birthdate of every customer of the master."""
    genders = {"M": "MALE", "F": "FEMALE", "N": "NA"}
    with CUSTOMERS.open(newline="", encoding="utf-8") as file:
        return {
            int(row[0]): (row[2].strip(), int(row[1]), genders[row[7]],
                          date.fromisoformat(row[6]) if row[6] else None)
            for row in csv.reader(file) if row
        }  # fmt: skip


def our_lines(bought: set[int]) -> list[Line]:
    """Refunds, a redemption, a new member and a walk-in, on two days after the receipts."""
    one, other = sorted(bought)[:2]
    new = min(members().keys() - bought)
    run, later = uuid.uuid4().hex[:8], "2019-04-09"
    return [
        Line(one, "2019-04-08", 9, f"S-{run}-1", "SALE", 3, "mocha", 2, Decimal("160.00")),
        Line(one, "2019-04-08", 9, f"S-{run}-1", "SALE", 3, "latte", 1, Decimal("70.05")),
        Line(one, later, 23, f"S-{run}-2", "REFUND", 5, "mocha", 1, Decimal("-80.00")),
        Line(other, later, 10, f"S-{run}-3", "REDEEM", 3, "free latte", 500, Decimal(0)),
        Line(new, later, 0, f"S-{run}-4", "SALE", 8, "latte", 3, Decimal("210.10")),
        Line(new, later, 18, f"S-{run}-5", "SALE", 8, "mocha", 1, Decimal("80.00")),
        Line(0, later, 18, f"S-{run}-6", "SALE", 5, "espresso", 1, Decimal("65.00")),
    ]


def text_of(line: Line) -> str:
    """Give a line as a till writes it, at half past its hour."""
    at = datetime.fromisoformat(line.day).replace(hour=line.hour, minute=30, tzinfo=NEW_YORK)
    customer = line.customer or ""
    ref = "S-REFUNDED" if line.event == "REFUND" else ""
    return (
        f"{customer}|{int(at.timestamp() * 1000)}|{line.order_id}|1|{line.event}|{line.store}"
        f"|{line.item}|{line.quantity}|{abs(line.signed):.2f}|{ref}\n"
    )


@pytest.fixture(scope="module")
def lines(stack: OwnStack, week: Reckoning) -> list[Line]:
    """Write our lines behind the week's, wait until Hive has them, and make their snapshot."""
    receipts = read_receipts()
    ours = our_lines({line.customer for line in receipts} & members().keys())
    texts = [text_of(line) for line in ours]
    texts[1] = texts[1].replace("|1|SALE", "|2|SALE")  # the second line of its receipt
    stack.ok("produce", "--from", "-", stdin="".join(texts))
    ids = ", ".join(f"'{line.order_id}'" for line in ours)
    count = f"select count(*) n from transactions_cln where order_id in ({ids})"
    wait_until("Hive", lambda: stack.sql(count) == [{"n": len(ours)}])
    stack.ok("refresh", "--data-dt", UNTIL)
    return receipts + ours


def run(stack: OwnStack, sample: str, **parameters: str) -> Answer:
    """Run a sample; amounts come as text."""
    given = [word for name, value in parameters.items() for word in ("--set", f"{name}={value}")]
    rows: Answer = json.loads(stack.ok("sql", "--sample", sample, "--json", *given))
    return rows


def money(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_UP))


def sales_of(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.event == "SALE"]


def spend(lines: list[Line]) -> dict[int, Decimal]:
    """Give the net spend of each member."""
    found = dict.fromkeys(members(), Decimal(0))
    for line in lines:
        if line.customer:
            found[line.customer] += line.signed
    return found


def test_sales_by_day(stack: OwnStack, lines: list[Line]) -> None:
    expected = []
    for day in sorted({line.day for line in lines}, reverse=True):
        of_day = [line for line in lines if line.day == day]
        sold = sales_of(of_day)
        receipts = len({line.order_id for line in sold})
        total = sum((line.signed for line in sold), Decimal(0))
        expected.append({
            "odr_dt": day, "receipts": receipts, "pieces": sum(line.quantity for line in sold),
            "net_sales": money(sum((line.signed for line in of_day), Decimal(0))),
            "average_basket": money(total / receipts),
        })  # fmt: skip
    assert run(stack, "sales_by_day", **ALL) == expected
    assert run(stack, "sales_by_day", until="2019-04-05", days="2") == expected[2:4]


def test_favourites(stack: OwnStack, lines: list[Line]) -> None:
    pieces: Counter[str] = Counter()
    net: dict[str, Decimal] = defaultdict(Decimal)
    buyers: dict[str, set[int]] = defaultdict(set)
    for line in lines:
        if line.event != "REDEEM":
            pieces[line.item] += line.quantity if line.event == "SALE" else -line.quantity
            net[line.item] += line.signed
        if line.event == "SALE" and line.customer:
            buyers[line.item].add(line.customer)
    best = sorted(pieces, key=lambda item: (-pieces[item], item))
    expected = [{"item": item, "pieces": pieces[item], "net_sales": money(net[item]),
                 "buyers": len(buyers[item])} for item in best]  # fmt: skip
    assert run(stack, "favourites", top="1000", **ALL) == expected
    assert run(stack, "favourites", **ALL) == expected[:10]


def test_busy_hours(stack: OwnStack, lines: list[Line]) -> None:
    receipts: dict[tuple[int, int], set[str]] = defaultdict(set)
    sales: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for line in sales_of(lines):
        receipts[line.store, line.hour].add(line.order_id)
        sales[line.store, line.hour] += line.signed
    expected = [
        {"store_id": store, "hour_of_day": hour, "receipts": len(receipts[store, hour]),
         "sales": money(sales[store, hour])}
        for store, hour in sorted(receipts)
    ]  # fmt: skip
    assert run(stack, "busy_hours", **ALL) == expected


def test_refunds(stack: OwnStack, lines: list[Line]) -> None:
    expected = []
    for store in sorted({line.store for line in lines}):
        here = [line for line in lines if line.store == store]
        sold = sum((line.signed for line in sales_of(here)), Decimal(0))
        back = [line for line in here if line.event == "REFUND"]
        refunded = -sum((line.signed for line in back), Decimal(0))
        expected.append({
            "store_id": store, "sales": money(sold),
            "refunds": len({line.order_id for line in back}), "refunded": money(refunded),
            "per_cent": money(100 * refunded / sold),
        })  # fmt: skip
    assert [row["refunds"] for row in expected] == [0, 1, 0]
    assert run(stack, "refunds", **ALL) == expected


def test_new_and_returning(stack: OwnStack, lines: list[Line]) -> None:
    sold = sales_of(lines)
    first: dict[int, str] = {}
    for line in sold:
        first[line.customer] = min(line.day, first.get(line.customer, line.day))
    expected = []
    for day in sorted({line.day for line in sold}, reverse=True):
        came = {line.customer for line in sold if line.day == day} - {0}
        new = {customer for customer in came if first[customer] == day}
        walk_ins = {line.order_id for line in sold if line.day == day and not line.customer}
        expected.append({
            "odr_dt": day, "new_members": len(new), "returning_members": len(came - new),
            "walk_ins": len(walk_ins),
        })  # fmt: skip
    assert (expected[0]["new_members"], expected[1]["returning_members"]) == (1, 1)
    assert run(stack, "new_and_returning", **ALL) == expected


def test_best_customers(stack: OwnStack, lines: list[Line]) -> None:
    known, spent = members(), spend(lines)
    best = sorted(spent, key=lambda customer: (-spent[customer], customer))[:10]
    assert run(stack, "best_customers", day=UNTIL) == [
        {"cust_id": customer, "cust_name": known[customer][0], "spnd_amt": money(spent[customer]),
         "data_dt": UNTIL}
        for customer in best
    ]  # fmt: skip


def test_lapsed_customers(stack: OwnStack, lines: list[Line]) -> None:
    known, spent = members(), spend(lines)
    last: dict[int, str] = {}
    for line in sales_of(lines):
        last[line.customer] = max(line.day, last.get(line.customer, line.day))
    gone = [c for c in last if c in known and last[c] <= "2019-04-03"]  # six days before
    gone.sort(key=lambda customer: (-spent[customer], customer))
    expected = [
        {"cust_id": customer, "cust_name": known[customer][0], "home_store": known[customer][1],
         "last_dt": last[customer], "days_away": int(UNTIL[-2:]) - int(last[customer][-2:]),
         "net_sales": money(spent[customer])}
        for customer in gone
    ]  # fmt: skip
    assert len(expected) > 20
    assert run(stack, "lapsed_customers", days="6", until=UNTIL) == expected[:20]
    assert run(stack, "lapsed_customers", days="6", until=UNTIL, top="5000") == expected


def test_members_by_age(stack: OwnStack, lines: list[Line]) -> None:
    spent, today = spend(lines), date.fromisoformat(UNTIL)
    groups: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for customer, (_, _, gender, born) in members().items():
        assert born is not None
        had_birthday = (today.month, today.day) >= (born.month, born.day)
        decade = (today.year - born.year - (0 if had_birthday else 1)) // 10
        name = "0-19" if decade < 2 else "60+" if decade > 5 else f"{decade}0-{decade}9"
        groups[gender, name].append(spent[customer])
    assert run(stack, "members_by_age", day=UNTIL) == [
        {"gender": gender, "age_group": name, "members": len(amounts),
         "buyers": sum(amount > 0 for amount in amounts),
         "spnd_amt": money(sum(amounts, Decimal(0)))}
        for (gender, name), amounts in sorted(groups.items())
    ]  # fmt: skip
