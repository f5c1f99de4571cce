"""The commands `sql` and `refresh` on the real servers."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from TCLIService.ttypes import TCloseSessionReq  # type: ignore[import-untyped]

from drill.stack import OwnStack, free_ports
from hive.refresh import refresh
from hive.runs import read_runs
from hive.session import connect
from pipeline.errors import LoyaltyError, Unavailable
from pipeline.lock import only_one
from pipeline.programme import calendar, read_programme
from pipeline.settings import ROOT
from tests.waiting import wait_until


def test_a_statement_that_fails_or_takes_too_long_is_a_sentence(stack: OwnStack) -> None:
    port = stack.settings.hiveserver2_port
    with (
        pytest.raises(LoyaltyError, match=r"^The statement failed: .*ASSERT_TRUE"),
        connect("127.0.0.1", port, timeout=60) as session,
    ):
        session.rows("select assert_true(1 = 2)")
    begun = time.monotonic()
    with (
        pytest.raises(LoyaltyError, match=rf"127\.0\.0\.1:{port}"),
        connect("127.0.0.1", port, timeout=2) as session,
    ):
        session.rows("select reflect('java.lang.Thread', 'sleep', bigint(20000))")
    assert time.monotonic() - begun < 8


def test_a_session_that_has_ended_can_be_opened_anew(stack: OwnStack) -> None:
    session = connect("127.0.0.1", stack.settings.hiveserver2_port, timeout=60)
    connection = session._connection
    # as HiveServer2 does to one that was idle for hours
    connection.client.CloseSession(TCloseSessionReq(sessionHandle=connection.sessionHandle))
    with pytest.raises(Unavailable, match="has ended the session; run the statement again"):
        session.rows("select 1")
    session.abandon()


def test_one_refresh_at_a_time(stack: OwnStack) -> None:
    with only_one(stack.places.run / "refresh.lock", "A refresh"):
        done = stack.run("refresh")
    assert done.returncode == 1
    assert "running" in done.stderr


def test_a_refresh_is_recorded(stack: OwnStack, customers: Path) -> None:
    (nobody,) = free_ports(1)
    without_hive = stack.settings.model_copy(update={"hiveserver2_port": nobody})
    day = calendar(read_programme(stack.settings.programme)).today()
    with pytest.raises(Unavailable) as failure:
        refresh(without_hive, stack.places, day)
    failed = next(read_runs(stack.places))
    assert (failed.ok, failed.outcome, failed.dates) == (False, "failed", [])
    assert failed.error == str(failure.value)
    snapshot = json.loads(stack.ok("refresh", "--json"))
    newest, before, *_ = json.loads(stack.ok("refreshes", "--json"))
    assert (newest["ok"], newest["error"], newest["reason"]) == (True, None, "by hand")
    assert newest["dates"] == [*snapshot["restated"], snapshot["data_dt"]]
    assert newest["newest"] == snapshot["data_dt"]
    assert before["error"] == failed.error
    assert snapshot["rows"] == len(customers.read_bytes().splitlines())
    assert stack.ok("refreshes", "--last", "1").splitlines()[1].split()[1:4] == [
        "by", "hand", "made"
    ]  # fmt: skip


def test_the_schedule_refreshes_and_says_when_it_will_again(
    stack: OwnStack, customers: Path, tmp_path: Path
) -> None:
    begun = datetime.now(tz=UTC).replace(microsecond=0)
    environment = stack.environment | {"LOYALTY_REFRESH": "5s"}

    def has_run() -> bool:
        last = next(read_runs(stack.places), None)
        return (
            last is not None
            and last.ok
            and last.reason == "scheduled"
            and datetime.fromisoformat(last.at) >= begun
        )

    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "hive"]
        schedule = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_until("a scheduled run", has_run, seconds=120)
            found = json.loads(stack.ok("status", "--json"))["refresh"]
        finally:
            schedule.terminate()
            assert schedule.wait(timeout=20) == 0, (tmp_path / "log").read_text()
    assert found["outcome"] in {"made", "unchanged"}
    assert datetime.fromisoformat(found["next"]) > begun
    today = calendar(read_programme(stack.settings.programme)).today()
    assert found["newest_snapshot"] == str(today)
    assert 0 <= found["snapshot_age_seconds"] <= 120


def test_results_as_table_csv_and_json(stack: OwnStack) -> None:
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


def test_a_file_with_several_statements(stack: OwnStack, tmp_path: Path) -> None:
    file = tmp_path / "several.sql"
    file.write_text("-- ;\nshow databases; select 'é;' x; -- end\n", encoding="utf-8")
    assert stack.ok("sql", "-f", str(file)).splitlines()[-2:] == ["x", "é;"]
    assert json.loads(stack.ok("sql", "-f", str(file), "--json")) == [{"x": "é;"}]


def test_statements_are_read_from_a_pipe(stack: OwnStack) -> None:
    text = "select 1 a; -- one; more\nselect 'é;' x, 2 y -- the last has no end"
    assert json.loads(stack.ok("sql", "--json", stdin=text)) == [{"x": "é;", "y": 2}]
    assert stack.ok("sql", "--csv", stdin=text) == "x,y\né;,2\n"
    first, *_, last = stack.ok("sql", stdin=text).splitlines()
    assert (first, last.split()) == ("a", ["é;", "2"])


@pytest.mark.parametrize("arguments", [[], ["select 1", "-f", "x"], [" ; "], ["select 1", "--csv",
                                       "--json"], ["--set", "days=3"], ["--samples", "select 1"],
                                       ["--sample", "refunds", "--set", "days"]])  # fmt: skip
def test_nothing_to_run_is_wrong_use(stack: OwnStack, arguments: list[str]) -> None:
    done = stack.run("sql", *arguments, stdin="")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_wrong_statement_is_one_sentence(stack: OwnStack) -> None:
    done = stack.run("sql", "select * from nope")
    assert (done.returncode, done.stdout) == (1, "")
    assert "SemanticException [Error 10001]: Line 1:14 Table not found 'nope'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
