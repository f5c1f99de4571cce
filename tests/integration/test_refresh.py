"""A refresh costs what is new and says what is true: each snapshot against a plain sum of what was
sold, in a database of the test's own.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from drill.stack import OwnStack
from hive.days import INDEX, read_index
from tests.integration.warehouse import Warehouse, own_warehouse

TODAY = date(2019, 4, 20)
YESTERDAY = TODAY - timedelta(days=1)
BEFORE = TODAY - timedelta(days=2)
OLD = TODAY - timedelta(days=9)
MEMBERS = [1, 2, 3]


@pytest.fixture(scope="module")
def kept(quiet_stack: OwnStack) -> Iterator[Warehouse]:
    """Snapshots of four dates, orders on three of them; 9 is not known yet.

    Each test leaves every snapshot right.
    """
    with own_warehouse(quiet_stack) as warehouse:
        warehouse.load_customers(MEMBERS, generation=1)
        warehouse.add_transactions(OLD, [(1, "10.00"), (9, "90.00"), (None, "5.00")])
        warehouse.add_transactions(BEFORE, [(2, "20.00"), (1, "-1.00")])
        warehouse.add_transactions(TODAY, [(3, "30.00"), (1, "1.25")])
        for day in (OLD, BEFORE, YESTERDAY):
            warehouse.refresh(day)
        assert warehouse.keep(TODAY) == [TODAY]
        is_right(warehouse, MEMBERS)
        yield warehouse


def is_right(warehouse: Warehouse, ids: list[int], *days: date) -> None:
    for day in days or (OLD, BEFORE, YESTERDAY, TODAY):
        assert warehouse.spend(day) == warehouse.sold(ids, day), day


def test_nothing_new_nothing_made(kept: Warehouse) -> None:
    folder = f"{kept.mart}/spend_daily"
    before, generations = read_index(kept.hive, folder), kept.generations(TODAY)
    assert kept.keep(TODAY, nightly=True) == []
    assert read_index(kept.hive, folder) == before
    assert kept.generations(TODAY) == generations


@pytest.mark.parametrize("other", [b"[]", b'{"2026-01-01": 3}', b'{"2026-01-01": {}}', b"{"])
def test_an_index_of_another_form_is_none(kept: Warehouse, other: bytes) -> None:
    folder = f"{kept.mart}/of_another_form"
    kept.hive.write(f"{folder}/{INDEX}", other)
    assert read_index(kept.hive, folder) == {}
    kept.hive.delete(folder)


def test_only_what_is_new_is_summed(kept: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """One date, and on top of yesterday's snapshot: however long the history is."""
    kept.add_transactions(TODAY, [(2, "0.50")])
    real, ran = kept.session.run, []

    def recorded(statement: str) -> None:
        ran.append(statement)
        real(statement)

    monkeypatch.setattr(kept.session, "run", recorded)
    assert kept.keep(TODAY) == [TODAY]
    (summed,) = [one for one in ran if "INSERT OVERWRITE TABLE spend_staged" in one]
    assert set(re.findall(r"2019-\d\d-\d\d", summed)) == {str(TODAY)}
    (built,) = [one for one in ran if "INSERT OVERWRITE TABLE loyalty_staged" in one]
    assert f"odr_dt > DATE '{YESTERDAY}' AND odr_dt <= DATE '{TODAY}'" in built
    assert "old.odr_dt <= DATE '1970-01-01'" in built, "nobody can be new"
    is_right(kept, MEMBERS)


def test_late_lines_restate_their_snapshot_and_those_after_it(kept: Warehouse) -> None:
    untouched = kept.generations(BEFORE)
    kept.add_transactions(YESTERDAY, [(None, "8.00")])
    assert kept.keep(TODAY) == [YESTERDAY, TODAY]
    assert kept.session.rows(f"select * from spend_daily where odr_dt = '{YESTERDAY}'") == []
    kept.add_transactions(YESTERDAY, [(2, "0.07"), (2, "-3.00")])
    assert kept.keep(TODAY) == [YESTERDAY, TODAY]
    assert kept.generations(BEFORE) == untouched
    is_right(kept, MEMBERS)


def test_an_older_snapshot_waits_for_the_night(kept: Warehouse) -> None:
    kept.add_transactions(OLD, [(3, "7.00")])
    assert kept.keep(TODAY) == [BEFORE, YESTERDAY, TODAY]
    is_right(kept, MEMBERS, BEFORE, YESTERDAY, TODAY)
    assert kept.spend(OLD) != kept.sold(MEMBERS, OLD)
    assert kept.keep(TODAY, nightly=True) == [OLD]
    is_right(kept, MEMBERS)


def test_an_old_date_is_looked_at_once(kept: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while old generations of it are still there."""
    lines, spend = (f"{folder}/odr_dt={OLD}" for folder in (
        f"{kept.clean}/transactions_cln", f"{kept.mart}/spend_daily"
    ))  # fmt: skip
    kept.merge(OLD)
    kept.keep(TODAY, nightly=True)
    kept.add_transactions(TODAY, [(1, "0.11")])
    assert len(kept.spark.names(f"{lines}/odr_hr=0")) > 1
    assert len(kept.hive.names(spend)) > 1
    asked: list[str] = []
    for client in (kept.spark, kept.hive):
        real = client._call  # the one way to HDFS

        def recorded(function: str, *args: Any, real: Any = real, **options: Any) -> Any:
            asked.extend(str(one) for one in args if str(one).startswith((lines, spend)))
            return real(function, *args, **options)

        monkeypatch.setattr(client, "_call", recorded)
    assert kept.keep(TODAY) == [TODAY]
    assert asked == [f"{lines}/odr_hr=0"]
    replace(kept.tables.spend, grace=0).retire_due(kept.session)
    assert len(kept.hive.names(spend)) == 1, "they go when their time is over"
    is_right(kept, MEMBERS)


def test_a_merge_changes_no_row(kept: Warehouse) -> None:
    kept.merge(BEFORE)
    kept.add_transactions(BEFORE, [(1, "100.00")])
    assert kept.keep(TODAY) == [BEFORE, YESTERDAY, TODAY]
    is_right(kept, MEMBERS)


def test_a_customer_loaded_later_counts_from_the_first_date_on(kept: Warehouse) -> None:
    kept.load_customers([1, 3, 9], generation=2)
    assert kept.keep(TODAY) == [BEFORE, YESTERDAY, TODAY]
    is_right(kept, [1, 3, 9], BEFORE, YESTERDAY, TODAY)
    kept.add_transactions(TODAY, [(9, "0.01"), (2, "0.02")])
    kept.load_customers(MEMBERS, generation=3)
    assert kept.keep(TODAY, nightly=True) == [BEFORE, YESTERDAY, TODAY, OLD]
    is_right(kept, MEMBERS)


class Killed(BaseException):
    """Ends a refresh where nothing catches it."""


MOMENTS = {
    "the new index lies beside the old one": ("rename_over", f"/{INDEX}", False),
    "the new index is there": ("rename_over", f"/{INDEX}", True),
    "a day has entered": ("rename", "/spend_daily/odr_dt=", True),
    "the snapshot has entered": ("rename", "/loyalty/data_dt=", True),
}
"""What HDFS is asked for, a part of the last path, and whether it is done before the end."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_anywhere_the_next_one_makes_it_right(
    kept: Warehouse, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    name, part, is_done = MOMENTS[moment]
    real = kept.hive._call

    def doomed(function: str, *paths: str, **options: object) -> object:
        if function != name or part not in paths[-1]:
            return real(function, *paths, **options)
        if is_done:
            real(function, *paths, **options)
        raise Killed

    kept.add_transactions(TODAY, [(2, "40.00")])
    with monkeypatch.context() as patched:
        patched.setattr(kept.hive, "_call", doomed)
        with pytest.raises(Killed):
            kept.keep(TODAY)
    kept.keep(TODAY)
    is_right(kept, MEMBERS)
