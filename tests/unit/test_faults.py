"""Planted faults: each is what its name says, in its share, the same for the same seed."""

from collections import Counter

import pytest

from pipeline.errors import UsageError
from pipeline.order import FUTURE_MS, Fault, OrderLine, parse
from pipeline.order import REASONS as ALL_REASONS
from pipeline.programme import MenuItem
from producer.clock import FIRST_MS
from producer.faults import NAMES, Planter, Written, contradicted, parse_faults
from producer.malformed import REASONS, malformed, ways
from producer.members import Member
from producer.orders import Till
from producer.traffic import Traffic

START = 1_795_521_600_000
COUNT = 3000
STEP = 1000
MENU = [MenuItem(item="latte", price="70.00"), MenuItem(item="green tea", price="60.00")]
GOOD = b"7|1795521600000|A-1|1|SALE|3|green tea|1|60.00|"
WALK_IN = GOOD.removeprefix(b"7")
SHARES = dict.fromkeys(NAMES, 0.02)


def planter(shares: dict[str, float], seed: str = "1") -> Planter:
    members = [Member(7, 3), Member(70, 5)]
    return Planter(Till(members, MENU, "run-1", seed), shares, seed)


def sold(shares: dict[str, float], seed: str = "1") -> list[list[Written]]:
    """Ring up 3,000 receipts, a second apart; the last list is the rest."""
    one = planter(shares, seed)
    return [*(one.receipt(START + n * STEP) for n in range(COUNT)), one.rest()]


def good(line: bytes) -> OrderLine:
    order = parse(line.removesuffix(b"\n"))
    assert isinstance(order, OrderLine), line
    return order


def test_every_reason_of_the_programme_can_be_planted() -> None:
    assert (*REASONS, "CONFLICT") == ALL_REASONS


@pytest.mark.parametrize("line", [GOOD, WALK_IN])
@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason != "FUTURE"])
def test_a_malformed_line_has_exactly_its_reason(reason: str, line: bytes) -> None:
    broken = {malformed(line, reason, way) for way in range(ways(reason))}
    assert len(broken) == ways(reason)
    for text in broken:
        assert parse(text) == Fault(reason), text
        assert b"\n" not in text


def test_a_future_line_is_good_and_ahead_of_every_clock() -> None:
    assert good(malformed(GOOD, "FUTURE", 0)).ordered_at > START + 50 * 365 * 86_400_000 + FUTURE_MS


def test_a_line_keeps_its_end() -> None:
    assert malformed(GOOD + b"\n", "REF", 0) == malformed(GOOD, "REF", 0) + b"\n"


@pytest.mark.parametrize("amount", ["60.00", "9999999.99", "0.00"])
@pytest.mark.parametrize("store", ["3", "999999"])
def test_a_contradiction_is_a_good_line_of_the_same_event(amount: str, store: str) -> None:
    line = f"7|1795521600000|A-1|1|SALE|{store}|green tea|1|{amount}|\n".encode()
    for by_amount in (True, False):
        other = contradicted(line, amount=by_amount)
        assert other != line
        assert good(other).identity() == good(line).identity()
        assert (good(other).amount == good(line).amount) != by_amount


def test_a_redemption_is_contradicted_by_its_store_alone() -> None:
    line = b"7|1795521600000|A-1|2|REDEEM|3|reward-cookie|6|0.00|\n"
    for by_amount in (True, False):
        other = contradicted(line, amount=by_amount)
        assert (good(other).identity(), good(other).store_id) == (good(line).identity(), 4)


def test_malformed_lines_beside_refunds_have_their_reasons() -> None:
    till = Till([Member(7, 3)], MENU, "run-1", "1", Traffic(refunds=0.5))
    one = Planter(till, {"malformed": 1}, "1")
    receipts = [one.receipt(START + n * 60_000) for n in range(500)]
    assert sum(b"|REFUND|" in receipt[0].line for receipt in receipts) > 100
    for receipt in receipts:
        line, fault = receipt[-1]
        name = fault.removeprefix("malformed:")
        assert name == "FUTURE" or parse(line[:-1]) == Fault(name), line


def test_shares_are_kept_and_all_reasons_are_there() -> None:
    receipts = sold(SHARES)
    counts = Counter(w.fault.partition(":")[0] for receipt in receipts for w in receipt)
    for name in NAMES:
        lines = COUNT * 0.02 * (1.4 if name.startswith("late") else 1)
        assert counts[name] == pytest.approx(lines, rel=0.4), name
    reasons = Counter(w.fault for r in receipts for w in r if w.fault.startswith("malformed"))
    assert set(reasons) == {f"malformed:{reason}" for reason in REASONS}


def test_each_planted_line_is_what_its_name_says() -> None:
    first: dict[str, bytes] = {}
    for number, receipt in enumerate(sold(SHARES)):
        for line, fault in receipt:
            assert line.endswith(b"\n")
            name, _, reason = fault.partition(":")
            if name == "malformed":
                wanted = None if reason == "FUTURE" else Fault(reason)
                assert isinstance(parse(line[:-1]), OrderLine) or parse(line[:-1]) == wanted
                continue
            order = good(line)
            if fault.startswith("duplicate"):
                assert first[order.identity()] == line
            elif fault == "conflict":
                assert first[order.identity()] != line
            else:
                assert order.identity() not in first
                first[order.identity()] = line
            if number < COUNT and name.startswith("late"):
                ago = (START + number * STEP - order.ordered_at) / 60_000
                unit, most = {"late-minutes": (1, 59), "late-days": (1440, 6),
                              "late-weeks": (10_080, 8)}[name]  # fmt: skip
                assert ago % unit == 0
                assert 1 <= ago / unit <= most


@pytest.mark.parametrize(
    ("name", "ago", "least"),
    [
        ("duplicate", 0, 1),
        ("conflict", 0, 1),
        ("duplicate-hour", 3_600_000, 101),
        ("duplicate-day", 86_400_000, 101),
    ],
)
def test_what_comes_again_comes_after_other_receipts(name: str, ago: int, least: int) -> None:
    receipts = sold({name: 0.02})
    seen: dict[str, int] = {}
    again = 0
    for number, receipt in enumerate(receipts):
        for line, fault in receipt:
            order = good(line)
            if not fault:
                seen[order.identity()] = number
                continue
            again += 1
            before = seen[order.identity()]
            assert order.ordered_at == START + before * STEP - ago
            assert number - before >= least or number == COUNT
    assert again == pytest.approx(60, rel=0.4)
    assert receipts[-1] or least == 1, "what is still held back comes at the end"


def test_the_same_seed_gives_the_same_lines_and_the_orders_are_those_without_faults() -> None:
    assert sold(SHARES) == sold(SHARES)
    assert sold(SHARES, "2") != sold(SHARES)
    plain = sold({})
    faulty = [[w for w in r if not w.fault] for r in sold({"malformed": 0.3, "duplicate": 0.3})]
    assert faulty == plain
    assert {w.fault for r in plain for w in r} == {""}


def test_a_receipt_has_at_most_one_fault() -> None:
    for receipt in sold({"malformed": 0.5, "late-days": 0.5})[:-1]:
        assert len({w.fault.partition(":")[0] for w in receipt} - {""}) == 1


def test_nothing_is_late_by_more_than_a_line_can_say() -> None:
    lines = planter({"late-weeks": 1}).receipt(FIRST_MS + 5)
    assert {good(w.line).ordered_at for w in lines} == {FIRST_MS}


def test_shares_are_read() -> None:
    assert parse_faults("malformed=0.02, duplicate-day=1e-3") == {
        "malformed": 0.02, "duplicate-day": 0.001}  # fmt: skip
    assert parse_faults("duplicate=0.9,conflict=0.1")


@pytest.mark.parametrize("text", [
    "", "nonsense=0.1", "malformed", "malformed=", "malformed=x", "malformed=0", "malformed=-0.1",
    "malformed=1.1", "malformed=nan", "malformed=inf", "malformed=0.1,malformed=0.1",
    "malformed=0.6,conflict=0.6", "malformed=0.1;conflict=0.1", "malformed:ITEM=0.1",
])  # fmt: skip
def test_wrong_names_and_shares_are_wrong_use(text: str) -> None:
    with pytest.raises(UsageError, match="--faults"):
        parse_faults(text)
