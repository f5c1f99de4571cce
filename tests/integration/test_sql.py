"""The commands `sql` and `refresh` on the real servers."""

import json
import time
from pathlib import Path

import pytest

from hive.refresh import read_last, refresh
from hive.session import connect
from pipeline.errors import LoyaltyError, Unavailable
from pipeline.lock import only_one
from pipeline.programme import calendar, read_programme
from pipeline.settings import ROOT
from tests.integration.conftest import RunningStack, free_ports
from tests.shared_data import CUSTOMERS, require_data


def test_a_statement_that_fails_or_takes_too_long_is_a_sentence(stack: RunningStack) -> None:
    port = stack.settings.hiveserver2_port
    with (
        connect("127.0.0.1", port) as session,
        pytest.raises(LoyaltyError, match=r"^The statement failed: .*ASSERT_TRUE"),
    ):
        session.rows("select assert_true(1 = 2)")
    begun = time.monotonic()
    with (
        connect("127.0.0.1", port, timeout=2) as session,
        pytest.raises(LoyaltyError, match=rf"127\.0\.0\.1:{port}"),
    ):
        session.rows("select reflect('java.lang.Thread', 'sleep', bigint(20000))")
    assert time.monotonic() - begun < 8


def test_one_refresh_at_a_time(stack: RunningStack) -> None:
    with only_one(stack.places.run / "refresh.lock", "A refresh"):
        done = stack.run("refresh")
    assert done.returncode == 1
    assert "running" in done.stderr


def test_a_refresh_is_recorded(stack: RunningStack) -> None:
    require_data()
    stack.ok("customers", "load", str(CUSTOMERS))
    (nobody,) = free_ports(1)
    without_hive = stack.settings.model_copy(update={"hiveserver2_port": nobody})
    day = calendar(read_programme(stack.settings.programme)).today()
    with pytest.raises(Unavailable) as failure:
        refresh(without_hive, stack.places, day)
    last = read_last(stack.places)
    assert last is not None
    assert (last["ok"], last["rows"], last["error"]) == (False, None, str(failure.value))
    snapshot = json.loads(stack.ok("refresh", "--json"))
    last = read_last(stack.places)
    assert last is not None
    assert (last["ok"], last["error"], last["data_dt"]) == (True, None, snapshot["data_dt"])
    assert last["rows"] == snapshot["rows"] == len(CUSTOMERS.read_bytes().splitlines())


def test_results_as_table_csv_and_json(stack: RunningStack) -> None:
    statement = (
        "select cast('1.10' as decimal(12,2)) amount, date '2019-04-05' day, true yes,"
        " cast(null as int) nothing, 'a,b' text, timestamp '2019-04-05 16:00:00.123' instant"
    )
    assert json.loads(stack.ok("sql", statement, "--json")) == [
        {"amount": "1.10", "day": "2019-04-05", "yes": True, "nothing": None, "text": "a,b",
         "instant": "2019-04-05T16:00:00.123000"}
    ]  # fmt: skip
    header, row, end = stack.ok("sql", statement, "--csv").split("\n")
    assert header == "amount,day,yes,nothing,text,instant"
    assert row == '1.10,2019-04-05,True,,"a,b",2019-04-05 16:00:00.123000'
    assert end == ""
    header, row, end = stack.ok("sql", statement).split("\n")
    assert header.split() == ["amount", "day", "yes", "nothing", "text", "instant"]
    assert "NULL" in row


def test_a_file_with_several_statements(stack: RunningStack, tmp_path: Path) -> None:
    file = tmp_path / "several.sql"
    file.write_text("-- ;\nshow databases; select 'é;' x; -- end\n", encoding="utf-8")
    assert stack.ok("sql", "-f", str(file)).splitlines()[-2:] == ["x", "é;"]
    assert json.loads(stack.ok("sql", "-f", str(file), "--json")) == [{"x": "é;"}]


@pytest.mark.parametrize("arguments", [[], ["select 1", "-f", "x"], [" ; "], ["select 1", "--csv",
                                       "--json"]])  # fmt: skip
def test_nothing_to_run_is_wrong_use(stack: RunningStack, arguments: list[str]) -> None:
    done = stack.run("sql", *arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_wrong_statement_is_one_sentence(stack: RunningStack) -> None:
    done = stack.run("sql", "select * from nope")
    assert (done.returncode, done.stdout) == (1, "")
    assert "SemanticException [Error 10001]: Line 1:14 Table not found 'nope'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("sample", sorted(p.name for p in (ROOT / "hive/samples").glob("*.sql")))
def test_the_sample_queries_run(stack: RunningStack, sample: str) -> None:
    assert stack.ok("sql", "-f", f"hive/samples/{sample}").splitlines()
