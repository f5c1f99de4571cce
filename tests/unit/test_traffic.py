"""Who comes back, and what is given back: shares, and never more than was sold."""

from collections import Counter, defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.order import OrderLine, parse
from pipeline.programme import read_programme
from pipeline.settings import ROOT
from producer.faults import NAMES, Planter
from producer.members import Member
from producer.orders import Till
from producer.pool import demo_members
from producer.returns import FORGOTTEN_MS, MOST, RIPE_MS, Line, Returns, Sale
from producer.traffic import SHAPES, Traffic, choose_traffic

MENU = read_programme(ROOT / "programme.toml").menu
RUSH = SHAPES["rush-hour"]
START = 1_795_534_534_612
MINUTE = 60_000
MEMBERS = demo_members()


def sold(
    count: int, traffic: Traffic, *, step: int = MINUTE, seed: str = "1",
    faults: dict[str, float] | None = None,
) -> list[list[OrderLine]]:  # fmt: skip
    """Ring up receipts, `step` ms apart; each line must be a good one as it stands."""
    planter = Planter(Till(MEMBERS, MENU, "run-1", seed, traffic), faults or {}, seed)
    receipts = []
    for number in range(count):
        lines = [
            parse(w.line.removesuffix(b"\n"))
            for w in planter.receipt(START + number * step)
            if not w.fault.startswith(("malformed", "conflict"))
        ]
        assert all(isinstance(line, OrderLine) for line in lines)
        receipts.append([line for line in lines if isinstance(line, OrderLine)])
    return receipts


def share(receipts: list[list[OrderLine]], event: str) -> float:
    return sum(any(line.event == event for line in lines) for lines in receipts) / len(receipts)


def check_refunds(lines: list[OrderLine]) -> None:
    """Each has a sale of its customer before it; together no more than was sold, in each line."""
    left: dict[tuple[str, int], tuple[OrderLine, int, Decimal]] = {}
    for line in lines:
        if line.event == "SALE":
            left[line.order_id, line.line_no] = (line, line.quantity, line.amount)
    for line in dict.fromkeys(line for line in lines if line.event == "REFUND"):
        sale, pieces, amount = left[line.ref or "", line.line_no]
        assert (line.customer_id, line.item) == (sale.customer_id, sale.item)
        assert line.ordered_at >= sale.ordered_at + RIPE_MS
        assert line.quantity <= pieces
        assert line.amount <= amount
        left[sale.order_id, line.line_no] = (sale, pieces - line.quantity, amount - line.amount)


def test_a_few_come_very_often_and_many_seldom() -> None:
    receipts = sold(12_000, Traffic("rush-hour"))
    visits = Counter(lines[0].customer_id for lines in receipts if lines[0].customer_id)
    ranks = [count for _, count in visits.most_common()]
    assert ranks[0] > 12 * sum(ranks) / len(MEMBERS)
    assert 0.6 < sum(ranks[:400]) / sum(ranks) < 0.75, "a fifth of them make two thirds"
    assert len(ranks) > 1300, "and most are there"
    # Zipf: twice as far down the list, half as many
    assert sum(ranks[190:210]) == pytest.approx(2 * sum(ranks[390:410]), rel=0.4)
    even = Counter(lines[0].customer_id for lines in sold(5000, Traffic()))
    assert even.most_common(2)[1][1] < 15, "constant: every member as often as any other"


def test_the_same_ones_come_often_in_another_run_at_home_mostly() -> None:
    homes = {member.customer_id: member.home_store for member in MEMBERS}
    best = []
    for seed in ("1", "2"):
        receipts = [lines[0] for lines in sold(6000, RUSH, seed=seed)]
        visits = Counter(line.customer_id for line in receipts if line.customer_id)
        best.append({customer for customer, _ in visits.most_common(40)})
        at_home = [
            line.store_id == homes[line.customer_id] for line in receipts if line.customer_id
        ]
        assert 0.85 < sum(at_home) / len(at_home) < 1
    assert len(best[0] & best[1]) > 20


@pytest.mark.parametrize("step", [10, MINUTE])
@pytest.mark.parametrize("shape", list(SHAPES))
def test_shares_are_kept(shape: str, step: int) -> None:
    # there is nothing to give back in the first minute
    count = 15_000 if step == 10 else 8000
    receipts = sold(count, Traffic(shape, refunds=0.05, redemptions=0.03), step=step)
    later = receipts[60_000 // step + 200 :]
    assert share(later, "REFUND") == pytest.approx(0.05, rel=0.15)
    assert share(later, "REDEEM") == pytest.approx(0.03, rel=0.15)
    if step == MINUTE:
        check_refunds([line for lines in receipts for line in lines])


def test_refunds_are_partial_and_whole_late_and_at_another_store() -> None:
    lines = [line for lines in sold(10_000, Traffic(refunds=0.1)) for line in lines]
    sales = {(line.order_id, line.line_no): line for line in lines if line.event == "SALE"}
    pairs = [
        (line, sales[line.ref or "", line.line_no]) for line in lines if line.event == "REFUND"
    ]
    assert 0.02 < sum(r.store_id != s.store_id for r, s in pairs) / len(pairs) < 0.15
    assert any(r.quantity < s.quantity for r, s in pairs)
    assert any(r.quantity == s.quantity and r.amount < s.amount for r, s in pairs)
    assert any((r.quantity, r.amount) == (s.quantity, s.amount) for r, s in pairs)
    ages = sorted((r.ordered_at - s.ordered_at) / 3_600_000 for r, s in pairs)
    assert ages[0] < 12
    assert ages[-1] > 72
    assert max(Counter(r.ref for r, _ in pairs).values()) > 1, "some come back twice"


def test_a_redemption_is_a_members_spends_no_more_than_an_earlier_sale_earned() -> None:
    earned: defaultdict[int, int] = defaultdict(int)
    redeemed = 0
    for lines in sold(4000, Traffic(redemptions=0.1)):
        for line in lines:
            if line.event == "REDEEM":
                redeemed += 1
                assert line.customer_id is not None
                assert line.amount == 0
                assert line.line_no == len(lines)
                earned[line.customer_id] -= line.quantity
                assert earned[line.customer_id] >= 0
        sales = sum(int(line.amount * 100) for line in lines if line.event == "SALE")
        if lines[0].customer_id:
            earned[lines[0].customer_id] += sales // 1000
    assert redeemed > 300


@settings(max_examples=12, deadline=None)
@given(
    st.integers(), st.floats(0, 0.5), st.floats(0, 0.5), st.sampled_from(list(SHAPES)),
    st.integers(1, 3_600_000),
)  # fmt: skip
def test_nothing_is_given_back_twice(
    seed: int, refunds: float, redemptions: float, shape: str, step: int
) -> None:
    traffic = Traffic(shape, refunds, min(redemptions, 0.5 - refunds))
    first, again = (sold(300, traffic, step=step, seed=str(seed)) for _ in range(2))
    assert first == again, "the same seed, the same lines"
    check_refunds([line for lines in first for line in lines])


def test_planted_faults_leave_the_other_receipts_as_they_are() -> None:
    traffic = Traffic("rush-hour", 0.2, 0.1)
    plain = sold(2000, traffic)
    faulty = sold(2000, traffic, faults=dict.fromkeys(NAMES, 0.05))
    same = sum(one == other for one, other in zip(plain, faulty, strict=True))
    assert same > 800
    numbers = [{line.order_id for line in lines} for lines in plain]
    assert all(mine <= {line.order_id for line in lines}
               for mine, lines in zip(numbers, faulty, strict=True))  # fmt: skip
    check_refunds([line for lines in faulty for line in lines])


def test_other_members_bring_nothing_of_the_others_back() -> None:
    till = Till(MEMBERS, MENU, "run-1", "1", Traffic(refunds=0.5))
    for number in range(50):
        till.receipt(START + number * MINUTE)
    till.move_to((Member(9_999, 3),))
    lines = [till.receipt(START + (50 + number) * MINUTE) for number in range(200)]
    known = {line.split("|")[2] for text in lines for line in text.splitlines()}
    refs = {line.split("|")[9] for text in lines for line in text.splitlines()} - {""}
    assert refs <= known
    assert refs


def test_what_is_remembered_is_bounded_and_forgotten_after_a_week() -> None:
    import random

    returns = Returns(random.Random(1))
    for number in range(3 * MOST):
        returns.keep(Sale("7", "3", f"A-{number}", number, number, (Line(1, "latte", 1, 7000),)))
        returns.take(number - RIPE_MS)
    assert len(returns) <= 2 * MOST
    assert returns.take(RIPE_MS - 1) is None
    assert returns.take(3 * MOST + FORGOTTEN_MS + 1) is None


def test_what_is_not_asked_for_stays() -> None:
    assert choose_traffic() == Traffic()
    assert choose_traffic("rush-hour") == Traffic("rush-hour", 0.03, 0.02)
    before = choose_traffic("rush-hour", redemptions=0)
    assert choose_traffic(refunds=0.5, before=before) == Traffic("rush-hour", 0.5, 0)
    assert choose_traffic("constant", before=before) == Traffic()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"shape": "flat"}, "constant or rush-hour"),
        ({"refunds": -0.1}, "together at most 0.5"),
        ({"refunds": float("nan")}, "together at most 0.5"),
        ({"redemptions": float("inf")}, "together at most 0.5"),
        ({"refunds": 0.3, "redemptions": 0.3}, "together at most 0.5"),
    ],
)
def test_wrong_use(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        choose_traffic(**wrong)  # type: ignore[arg-type]
