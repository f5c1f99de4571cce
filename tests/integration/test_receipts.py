"""A real week of a coffee chain goes the whole path; every total is exact to the cent."""

import json
from decimal import Decimal

import pytest

from tests.integration.conftest import RunningStack
from tests.integration.oracle import Reckoning, customer_ids, reckon
from tests.shared_data import CUSTOMERS, PRODUCTS, RECEIPTS, require_data

PERIOD = "odr_dt between date '2019-04-01' and date '2019-04-05'"


@pytest.fixture(scope="module")
def week(stack: RunningStack) -> Reckoning:
    """Load the customers, replay the receipts once, and let every hop catch up."""
    require_data()
    stack.ok("customers", "load", str(CUSTOMERS))
    stack.ok("replay", str(RECEIPTS), "--products", str(PRODUCTS))
    verified = json.loads(stack.ok("verify", "--wait", "--json"))
    assert verified["ok"], verified["differences"]
    stack.ok("refresh", "--data-dt", "2019-04-05")
    return reckon()


def query(stack: RunningStack, statement: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(stack.ok("sql", "--json", statement))
    return rows


def test_the_oracle_agrees_with_the_datas_own_description(week: Reckoning) -> None:
    assert week.total_lines == 8203
    assert week.total_amount == Decimal("36515.05")


def test_hive_has_every_line_and_every_cent_of_each_day(
    stack: RunningStack, week: Reckoning
) -> None:
    rows = query(
        stack,
        f"select cast(odr_dt as string) d, count(*) n, sum(odr_prc) s from transactions_cln"
        f" where {PERIOD} group by odr_dt",
    )
    assert {row["d"]: int(row["n"]) for row in rows} == week.lines
    assert {row["d"]: Decimal(row["s"]) for row in rows} == week.amounts


def test_loyalty_lists_every_customer_with_the_spend_of_the_receipts(
    stack: RunningStack, week: Reckoning
) -> None:
    rows = query(stack, "select cust_id, spnd_amt from loyalty where data_dt = date '2019-04-05'")
    found = {str(row["cust_id"]): Decimal(row["spnd_amt"]) for row in rows}
    assert len(rows) == len(found) == 2246
    assert found == {i: week.spend.get(i, Decimal(0)) for i in customer_ids()}


def test_a_second_refresh_gives_the_same_rows(stack: RunningStack, week: Reckoning) -> None:
    statement = "select * from loyalty where data_dt = date '2019-04-05' order by cust_id"
    before = query(stack, statement)
    stack.ok("refresh", "--data-dt", "2019-04-05")
    assert query(stack, statement) == before


def test_a_day_before_all_receipts_lists_everyone_with_nothing(
    stack: RunningStack, week: Reckoning
) -> None:
    stack.ok("refresh", "--data-dt", "2019-03-31")
    rows = query(
        stack,
        "select count(*) n, sum(spnd_amt) s from loyalty where data_dt = date '2019-03-31'",
    )
    assert (int(rows[0]["n"]), Decimal(rows[0]["s"])) == (2246, Decimal(0))
