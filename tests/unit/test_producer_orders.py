"""Invented orders: good lines, of loaded members, the same again from the same seed."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.errors import Refused
from pipeline.order import OrderLine, parse
from pipeline.places import Places
from pipeline.programme import MenuItem, read_programme
from pipeline.settings import ROOT
from producer.members import Member, members_file, read_members, write_members
from producer.orders import Till, demo_run, seeded_run
from producer.returns import RIPE_MS
from producer.shape import RUSH_HOUR
from producer.traffic import Traffic

MENU = read_programme(ROOT / "programme.toml").menu
MEMBERS = tuple(Member(customer, 3 + customer % 3) for customer in (7, 70, 5001, 9_999_999_999))
NOW = 1_795_534_534_612


def till(run: str = "run", seed: str = "1", members: Sequence[Member] = MEMBERS) -> Till:
    return Till(members, MENU, run, seed)


def receipts(count: int, one: Till) -> list[list[OrderLine]]:
    """Ring up receipts and read each of their lines, which must be good."""
    rung: list[list[OrderLine]] = []
    for number in range(count):
        rung.append([])
        for line in one.receipt(NOW + number).encode().splitlines(keepends=True):
            assert line.endswith(b"\n")
            order = parse(line[:-1])
            assert isinstance(order, OrderLine), line
            assert order.text().encode() == line[:-1]
            rung[-1].append(order)
    return rung


def test_every_line_is_good_and_priced_by_the_menu() -> None:
    prices = {item.item: item.price for item in MENU}
    for receipt in receipts(2000, till()):
        for line in receipt:
            assert line.event == "SALE"
            assert line.amount == prices[line.item] * line.quantity


def test_a_receipt_has_one_customer_instant_store_and_its_own_id() -> None:
    rung = receipts(2000, till())
    for number, receipt in enumerate(rung):
        assert len({(line.customer_id, line.order_id, line.store_id) for line in receipt}) == 1
        assert {line.ordered_at for line in receipt} == {NOW + number}
        assert [line.line_no for line in receipt] == list(range(1, len(receipt) + 1))
        assert len({line.item for line in receipt}) == len(receipt)
    assert len({receipt[0].order_id for receipt in rung}) == len(rung)


def test_customers_are_members_or_walk_ins_and_mostly_at_home() -> None:
    rung = [receipt[0] for receipt in receipts(4000, till())]
    homes = dict(MEMBERS)
    by_member = [line for line in rung if line.customer_id is not None]
    assert {line.customer_id for line in by_member} == set(homes)
    assert 0.15 < 1 - len(by_member) / len(rung) < 0.25
    at_home = sum(line.store_id == homes[line.customer_id or 0] for line in by_member)
    assert 0.85 < at_home / len(by_member) < 1
    assert {line.store_id for line in rung} == set(homes.values())


def test_receipts_differ_in_lines_and_pieces() -> None:
    rung = receipts(4000, till())
    assert {len(receipt) for receipt in rung} == {1, 2, 3, 4, 5}
    pieces: dict[str, set[int]] = defaultdict(set)
    for receipt in rung:
        for line in receipt:
            pieces[line.item].add(line.quantity)
    assert set(pieces) == {item.item for item in MENU}
    assert all(found == {1, 2, 3, 4} for found in pieces.values())


def test_the_same_seed_gives_the_same_bytes_another_one_does_not() -> None:
    one, same, other = till(), till(), till(seed="2")
    rung = [one.receipt(NOW) for _ in range(100)]
    assert rung == [same.receipt(NOW) for _ in range(100)]
    assert rung != [other.receipt(NOW) for _ in range(100)]


def test_many_at_once_are_those_rung_up_one_by_one() -> None:
    traffic = Traffic(RUSH_HOUR, refunds=0.2, redemptions=0.2)
    one, many = (Till(MEMBERS, MENU, "run", "1", traffic) for _ in range(2))
    later = NOW + 3 * RIPE_MS
    for instant in (NOW, later):
        text = many.receipts(instant, 300)
        assert text == "".join(one.receipt(instant) for _ in range(300))
    assert text.count("|REFUND|") > 10
    assert "|REDEEM|" in text


def test_runs_have_order_ids_of_their_own() -> None:
    assert demo_run() != demo_run()
    assert seeded_run(1, NOW) == seeded_run(1, NOW)
    assert len({seeded_run(1, NOW), seeded_run(2, NOW), seeded_run(1, NOW + 1)}) == 3


def test_other_members_take_over_and_the_ids_go_on() -> None:
    one = till()
    (before,) = receipts(1, one)
    one.move_to((Member(1, 9),))
    after = receipts(200, one)
    assert {receipt[0].customer_id for receipt in after} == {1, None}
    assert before[0].order_id == "run-1"
    assert after[0][0].order_id == "run-2"


@pytest.mark.parametrize("item", ["a|b", "tab\tbed", "�"])
def test_an_item_that_no_line_can_hold_is_refused(item: str) -> None:
    with pytest.raises(Refused, match="correct it in the programme file"):
        Till(MEMBERS, (MenuItem(item=item, price=Decimal(1)),), "run", "1")


def test_the_dearest_item_stays_within_an_amount() -> None:
    dear = MenuItem(item="gold", price=Decimal("9999999.99"))
    one = Till(MEMBERS, (dear, MenuItem(item="water", price=Decimal(0))), "run", "1")
    assert {receipt[0].item for receipt in receipts(500, one)} == {"gold", "water"}


def test_members_come_back_as_they_were_written(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert read_members(places) == ()
    write_members(places, MEMBERS)
    assert read_members(places) == MEMBERS
    assert members_file(places).read_text() == (
        "customer_id,home_store\n7,4\n70,4\n5001,3\n9999999999,3\n"
    )


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "customer_id,home_store\nx,1\n", "customer_id\n1\n"]
)
def test_damaged_members_are_named(tmp_path: Path, text: str) -> None:
    places = Places(tmp_path)
    write_members(places, MEMBERS)
    members_file(places).write_text(text)
    with pytest.raises(Refused, match="customers load"):
        read_members(places)
