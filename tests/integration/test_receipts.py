"""A real week of a coffee chain goes the whole path; every total is exact to the cent."""

import json
import shutil
from decimal import Decimal
from typing import Any

from cluster.boot import boot_file
from drill.stack import OwnStack
from drill.tables import read_state
from tests.integration.oracle import Reckoning, customer_ids, reckon
from tests.shared_data import PRODUCTS, RECEIPTS, require_data
from tests.waiting import wait_until

PERIOD = "odr_dt between date '2019-04-01' and date '2019-04-05'"


def test_the_oracle_agrees_with_the_datas_own_description(week: Reckoning) -> None:
    assert week.total_lines == 8203
    assert week.total_amount == Decimal("36515.05")


def test_hive_has_every_line_and_every_cent_of_each_day(stack: OwnStack, week: Reckoning) -> None:
    rows = stack.sql(
        f"select cast(odr_dt as string) d, count(*) n, sum(odr_prc) s from transactions_cln"
        f" where {PERIOD} group by odr_dt",
    )
    assert {row["d"]: int(row["n"]) for row in rows} == week.lines
    assert {row["d"]: Decimal(row["s"]) for row in rows} == week.amounts


def test_loyalty_lists_every_customer_with_the_spend_of_the_receipts(
    stack: OwnStack, week: Reckoning
) -> None:
    rows = stack.sql("select cust_id, spnd_amt from loyalty where data_dt = date '2019-04-05'")
    found = {str(row["cust_id"]): Decimal(row["spnd_amt"]) for row in rows}
    assert len(rows) == len(found) == 2246
    assert found == {i: week.spend.get(i, Decimal(0)) for i in customer_ids()}


def test_a_second_refresh_gives_the_same_rows(stack: OwnStack, week: Reckoning) -> None:
    statement = "select * from loyalty where data_dt = date '2019-04-05' order by cust_id"
    before = stack.sql(statement)
    stack.ok("refresh", "--data-dt", "2019-04-05")
    assert stack.sql(statement) == before


def test_a_day_before_all_receipts_lists_everyone_with_nothing(
    stack: OwnStack, week: Reckoning
) -> None:
    stack.ok("refresh", "--data-dt", "2019-03-31")
    rows = stack.sql(
        "select count(*) n, sum(spnd_amt) s from loyalty where data_dt = date '2019-03-31'",
    )
    assert (int(rows[0]["n"]), Decimal(rows[0]["s"])) == (2246, Decimal(0))


Totals = tuple[dict[str, tuple[int, Decimal]], dict[str, Any]]
DIRTY = ("nonsense", "7|1554120000000|A_1|1|SALE|3|latte|2|140.00|", "", "|" * 10, "7|1|A|1|SALE|")


def totals(stack: OwnStack) -> Totals:
    """Hive's rows and sums by date, and what `verify` says of transactions_cln."""
    verified = json.loads(stack.ok("verify", "--wait", "--json"))
    assert verified["ok"], verified["differences"]
    (hop,) = (hop for hop in verified["hops"] if hop["hop"] == "transactions_cln")
    rows = stack.sql(
        "select cast(odr_dt as string) d, count(*) n, sum(odr_prc) s from transactions_cln"
        " group by odr_dt",
    )
    return {row["d"]: (int(row["n"]), Decimal(row["s"])) for row in rows}, hop


def added(before: Totals, after: Totals) -> dict[str, tuple[int, Decimal]]:
    """What each date has more than before; dates without anything more are left out."""
    none = (0, Decimal(0))
    each = {
        day: (n - before[0].get(day, none)[0], s - before[0].get(day, none)[1])
        for day, (n, s) in after[0].items()
    }
    return {day: more for day, more in each.items() if more != none}


def test_receipts_replayed_four_times_and_among_dirty_lines_change_no_total(
    quiet_stack: OwnStack,
) -> None:
    require_data()
    stack, week = quiet_stack, reckon()

    def replay() -> None:
        stack.ok("replay", str(RECEIPTS), "--products", str(PRODUCTS))

    before, others = totals(stack), set(stack.places.order_files())
    replay()
    expected = {d: (n, week.amounts[d]) for d, n in week.lines.items()}
    wait_until("Hive", lambda: added(before, totals(stack)) == expected, seconds=120)
    once = totals(stack)
    logs = set(stack.places.order_files()) - others
    good = [line for path in logs for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(good) == week.total_lines
    rows = read_state(stack).rows

    replay()
    stack.ok("down", timeout=200)
    boot_file(stack.places).write_text("as if the machine had lost its power before")
    started = stack.run("up", "--empty", timeout=900)
    assert started.returncode == 0, started.stderr
    assert "the machine went down under the stack" in started.stderr
    replay()
    assert totals(stack) == once, "after the second time, and the third"
    stack.supervisor.stop("streaming")
    shutil.rmtree(stack.places.checkpoint)
    stack.supervisor.start("streaming")
    replay()
    dirty = [f"{DIRTY[at % len(DIRTY)]}\n{line}\n" for at, line in enumerate(good)]
    stack.ok("produce", "--from", "-", stdin="".join(dirty))
    assert totals(stack) == once, "after the fourth time, and among dirty lines"
    assert read_state(stack).rows == rows

    # orders that nobody has seen yet count between the dirty lines, every one
    fields = [line.split("|") for line in good]
    stack.ok("produce", "--from", "-", stdin="".join(
        f"{DIRTY[at % len(DIRTY)]}\n{'|'.join([*line[:2], f'D-{line[2]}', *line[3:]])}\n"
        for at, line in enumerate(fields)
    ))  # fmt: skip
    wait_until("Hive", lambda: added(once, totals(stack)) == expected, seconds=120)
