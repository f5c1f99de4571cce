"""`customers load` on the stack: a new generation, or the table as it was."""

import json
from pathlib import Path
from typing import Any

import pytest

from batch.load import keep_raw, settle_raw
from drill.stack import OwnStack
from hive.session import connect
from hive.tables import get_location, set_location
from pipeline.errors import LoyaltyError
from pipeline.places import CLEAN, CUSTOMERS, RAW_CUSTOMERS
from pipeline.webhdfs import Hdfs
from producer.members import read_members


@pytest.fixture(scope="module")
def rows(customers: Path) -> list[str]:
    """Give the rows of the file that was loaded."""
    return customers.read_text(encoding="utf-8").splitlines()


def shown(stack: OwnStack) -> Any:
    """Ask Hive for count, sum of ids and number of genders."""
    query = (
        "select count(*) n, sum(cust_id) ids, count(distinct cust_gender) genders "
        "from customers_cln"
    )
    return stack.sql(query)


def generations(stack: OwnStack) -> list[str]:
    """List the generations on HDFS."""
    return sorted(Hdfs(stack.settings.webhdfs, user="spark").names(CUSTOMERS))


def write(folder: Path, lines: list[str]) -> str:
    """Write a customer file."""
    path = folder / "members.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_a_loaded_file_is_what_hive_and_the_producer_have(stack: OwnStack, rows: list[str]) -> None:
    ids = [int(row.split(",")[0]) for row in rows]
    assert shown(stack) == [{"n": 2246, "ids": sum(ids), "genders": 3}]
    assert sorted(member.customer_id for member in read_members(stack.places)) == sorted(ids)
    assert (stack.places.data / "customers.loaded").exists()
    raw = Hdfs(stack.settings.webhdfs, user="spark").names(RAW_CUSTOMERS)
    newest = sorted(int(name.removeprefix("g=")) for name in generations(stack))[-2:]
    assert sorted(raw) == sorted(f"g={number}.csv" for number in newest)


def test_refused_files_change_nothing(stack: OwnStack, rows: list[str], tmp_path: Path) -> None:
    before, numbers = shown(stack), generations(stack)
    eight = [row.rpartition(",")[0] for row in rows]
    doubled = [*rows[:50], *rows[:50]]
    wrong = {"not nine": eight, "refused whole: 50 of 100 rows": doubled, "empty": [""]}
    for sentence, lines in wrong.items():
        done = stack.run("customers", "load", write(tmp_path, lines))
        assert (done.returncode, done.stdout) == (1, ""), sentence
        assert sentence in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
    assert (shown(stack), generations(stack)) == (before, numbers)


def test_broken_rows_are_listed_without_personal_data(
    stack: OwnStack, rows: list[str], tmp_path: Path
) -> None:
    """All its good rows are those of the file before."""
    before = shown(stack)
    path = write(tmp_path, [*rows, "x,1,Secret Name", rows[0]])
    result = json.loads(stack.ok("customers", "load", path, "--json"))
    assert (result["rows"], result["rejected"]) == (2246, 2)
    listed = Path(result["rejected_file"]).read_text(encoding="utf-8").splitlines()
    assert listed == ["line,reason", "2247,FIELDS", "2248,DOUBLED"]
    assert shown(stack) == before


def test_a_refresh_makes_the_switch_that_a_killed_load_left(
    stack: OwnStack, rows: list[str]
) -> None:
    elsewhere = f"{stack.settings.hdfs}{CLEAN}/elsewhere"
    with connect("127.0.0.1", stack.settings.hiveserver2_port, timeout=60) as session:
        newest = get_location(session, "customers_cln")
        set_location(session, "customers_cln", elsewhere)
        assert json.loads(stack.ok("refresh", "--json"))["rows"] == 2246
        assert get_location(session, "customers_cln") == newest


def test_of_loaded_files_two_stay_and_of_killed_loads_none(stack: OwnStack) -> None:
    hdfs, folder = Hdfs(stack.settings.webhdfs, user="spark"), f"{CLEAN}/test_raw_customers"
    try:
        for number in (1, 2, 10, 10, 3):  # a number that is taken, and one below
            hdfs.write(f"{folder}/loading-x.csv", b"%d" % number)
            keep_raw(hdfs, f"{folder}/loading-x.csv", number, folder)
        # one whose generation was refused, one whose generation has its file, one without a number
        for name in ("loading-5-y.csv", "loading-3-y.csv", "loading-y.csv"):
            hdfs.write(f"{folder}/{name}", b"")
        settle_raw(hdfs, 3, folder)
        assert sorted(hdfs.names(folder)) == ["g=2.csv", "g=3.csv"]
        # one that was killed after its generation had entered
        hdfs.write(f"{folder}/loading-4-z.csv", b"of 4")
        settle_raw(hdfs, 4, folder)
        assert sorted(hdfs.names(folder)) == ["g=3.csv", "g=4.csv"]
        assert hdfs.read(f"{folder}/g=4.csv") == b"of 4"
        with pytest.raises(LoyaltyError, match="on HDFS already"):
            hdfs.rename(f"{folder}/g=3.csv", f"{folder}/g=4.csv")
        with pytest.raises(LoyaltyError, match="is not on HDFS"):
            hdfs.read(f"{folder}/g=10.csv")
    finally:
        hdfs.delete(folder)
