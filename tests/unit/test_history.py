"""The demo's thirty days: within their bounds, always the same, continued after a kill."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from batch.load import remember_demo
from cluster.demo import demo_steps, line_ends, settle_history
from cluster.stack import Stack
from cluster.stamp import Stamp
from pipeline.cli import app
from pipeline.errors import Refused, UsageError
from pipeline.order import OrderLine, parse
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.settings import ROOT, Settings
from producer.history import (
    DAYS,
    DEFAULT,
    Plan,
    history,
    instants,
    make_plan,
    mark_taken,
    plan_file,
    read_plan,
    write_history,
)
from producer.members import write_members
from producer.pool import demo_members
from producer.rate import PAUSE, ask_rate, asked

PROGRAMME = read_programme(ROOT / "programme.toml")
ZONE = ZoneInfo(PROGRAMME.time_zone)
MEMBERS = demo_members()
PLAN = Plan(3000, 1_795_534_534_612, seed=7)
DAY_MS = 86_400_000


def lines_of(plan: Plan) -> list[bytes]:
    return list(history(plan, MEMBERS, PROGRAMME.menu, ZONE))


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return lines_of(PLAN)


def test_it_is_as_many_orders_as_asked_in_the_last_thirty_days(lines: list[bytes]) -> None:
    orders = [parse(line.removesuffix(b"\n")) for line in lines]
    good = [order for order in orders if isinstance(order, OrderLine)]
    assert len(good) == len(orders), "every line is an order line"
    assert len({order.order_id for order in good}) == PLAN.orders
    at = [order.ordered_at for order in good]
    assert at == sorted(at)
    assert PLAN.until_ms - DAYS * DAY_MS <= at[0] <= at[-1] < PLAN.until_ms
    first = {order.order_id: order.ordered_at for order in good}.values()
    days = Counter(datetime.fromtimestamp(one / 1000, tz=ZONE).date() for one in first)
    whole = sorted(days)[1:-1]
    assert len(whole) == DAYS - 1
    # the clocks went back on 1 November: a day of 25 hours
    assert all(98 <= days[day] <= 102 + 4 * (day == date(2026, 11, 1)) for day in whole)
    assert {order.event for order in good} == {"SALE", "REFUND", "REDEEM"}


def test_the_same_plan_gives_the_same_lines_another_one_does_not(lines: list[bytes]) -> None:
    assert lines_of(PLAN) == lines
    others = lines_of(Plan(3000, PLAN.until_ms, seed=8)), lines_of(Plan(2999, PLAN.until_ms, 7))
    for other in others:
        assert {line.split(b"|")[2] for line in lines}.isdisjoint(
            line.split(b"|")[2] for line in other
        )


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5000), st.integers(1_100_000_000_000, 3_000_000_000_000))
def test_no_order_is_outside_the_thirty_days(orders: int, until_ms: int) -> None:
    found = list(instants(Plan(orders, until_ms, 1), ZONE))
    assert len(found) == orders
    assert found == sorted(found)
    assert until_ms - DAYS * DAY_MS <= found[0] <= found[-1] < until_ms


def test_who_was_killed_goes_on_and_writes_no_line_twice(
    lines: list[bytes], tmp_path: Path
) -> None:
    log = tmp_path / "orders.log"
    other = b"7|1795534534612|A-1|1|SALE|3|latte|1|70.00|\n"
    log.write_bytes(other + b"".join(lines[:1234]))
    more: list[bytes] = []
    assert write_history(lines, [log], more.append) == len(lines) - 1234
    assert lines[:1234] + more == lines
    again: list[bytes] = []
    assert write_history(lines, [log], again.append) == len(lines) - 1234, "the log alone says so"


def stack(tmp_path: Path) -> Stack:
    return Stack(Settings(data=tmp_path), PROGRAMME)


def stamped(begun: str) -> Stamp:
    return Stamp(1, PROGRAMME.time_zone, 24, "x", begun)


def test_the_first_start_settles_it_and_later_ones_go_on(tmp_path: Path) -> None:
    demo, one = stamped("demo"), stack(tmp_path)
    plan = settle_history(one, demo, empty=False, asked=None)
    assert plan is not None
    assert (plan.orders, plan.is_taken) == (DEFAULT, False)
    write_members(one.places, MEMBERS)
    assert settle_history(one, demo, empty=False, asked=None) == plan
    assert settle_history(one, demo, empty=False, asked=DEFAULT) == plan
    with pytest.raises(UsageError, match=r"has one of 3,000 orders"):
        settle_history(one, demo, empty=False, asked=0)
    mark_taken(one.places, plan)
    after = settle_history(one, demo, empty=False, asked=None)
    assert after is not None
    assert after.is_taken


def test_no_history_where_none_is_wanted(tmp_path: Path) -> None:
    none = settle_history(stack(tmp_path), stamped("demo"), empty=False, asked=0)
    assert none is not None
    assert none.is_taken
    old = stack(tmp_path / "old")
    write_members(old.places, MEMBERS)
    assert settle_history(old, stamped("demo"), empty=False, asked=None) is None, "begun before"
    assert not plan_file(old.places).exists()


def test_the_start_writes_what_is_not_taken_yet(tmp_path: Path) -> None:
    one, plan = stack(tmp_path), Plan(10, PLAN.until_ms, seed=7)
    for past, wanted in ((plan, True), (replace(plan, is_taken=True), False), (None, False)):
        steps = demo_steps(one, stamped("demo"), empty=False, rate=None, traffic={}, past=past,
                           fresh=True)  # fmt: skip
        assert ("history" in {step.name for step in steps}) is wanted


@pytest.mark.parametrize(("words", "orders"), [(["--history", "0"], 0), ([], None)])
def test_up_hands_on_how_many_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], orders: int | None
) -> None:
    given: list[int | None] = []

    def settle(*_found: object, empty: bool, asked: int | None) -> None:
        assert not empty
        given.append(asked)
        raise Refused("far enough; go on.")

    monkeypatch.setenv("LOYALTY_DATA", str(tmp_path))
    monkeypatch.setattr("pipeline.commands.up.make_ready", lambda _stack: {})
    monkeypatch.setattr("cluster.demo.settle_history", settle)
    done = CliRunner().invoke(app, ["up", *words])
    assert (given, done.exit_code) == ([orders], 1), done.output


def test_real_customers_get_none(tmp_path: Path) -> None:
    empty, real = stack(tmp_path / "empty"), stack(tmp_path / "real")
    real.places.data.mkdir()
    (real.places.data / "customers.loaded").touch()
    for one, begun in ((empty, "empty"), (real, "demo")):
        assert settle_history(one, stamped(begun), empty=False, asked=None) is None
        assert settle_history(one, stamped(begun), empty=False, asked=0) is None
        with pytest.raises(UsageError, match="real ones"):
            settle_history(one, stamped(begun), empty=False, asked=100)


def test_a_damaged_plan_is_named(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert read_plan(places) is None
    plan = make_plan(places, 10)
    assert read_plan(places) == plan
    plan_file(places).write_text('{"orders": 3}')
    with pytest.raises(Refused, match="damaged"):
        read_plan(places)


def test_a_start_waits_for_whole_lines_only(tmp_path: Path) -> None:
    """A till may be amid a line, or have stopped there for good: nobody reads that."""
    files = [tmp_path / f"orders-{name}.log" for name in ("half", "whole", "gone")]
    files[0].write_bytes(b"1|2\n3|4")
    files[1].write_bytes(b"1|2\n")
    assert line_ends(files) == {(one.stat().st_ino, one.name): 4 for one in files[:2]}


def test_a_load_that_came_to_nothing_leaves_the_demo_as_it_was(tmp_path: Path) -> None:
    places = Places(tmp_path)
    ask_rate(places, "5/s")
    as_before = remember_demo(places)
    places.customers_loaded.touch()
    ask_rate(places, PAUSE)
    as_before()
    assert not places.customers_loaded.exists()
    assert str(asked(places)) == "5/s"
    # a chain's own members were there before, and the producer paused
    places.customers_loaded.touch()
    ask_rate(places, PAUSE)
    as_before = remember_demo(places)
    as_before()
    assert places.customers_loaded.exists()
    assert str(asked(places)) == PAUSE
