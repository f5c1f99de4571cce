"""`customers load` on the stack: a new generation, or the table as it was."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.places import CUSTOMERS, RAW_CUSTOMERS
from pipeline.settings import ROOT
from pipeline.webhdfs import Hdfs
from producer.members import read_members
from tests.integration.conftest import RunningStack

SHARED = ROOT.parent / "shared" / "data" / "customers.csv"


@pytest.fixture
def rows(stack: RunningStack) -> list[str]:
    """Load the chain's own file, which every test leaves in place; give its rows."""
    assert SHARED.exists(), f"{SHARED} is missing; this test reads the chain's customer file."
    result = json.loads(stack.ok("customers", "load", str(SHARED), "--json"))
    assert (result["rows"], result["rejected"]) == (2246, 0)
    return SHARED.read_text(encoding="utf-8").splitlines()


def shown(stack: RunningStack) -> Any:
    """Ask Hive for count, sum of ids and number of genders."""
    query = (
        "select count(*) n, sum(cust_id) ids, count(distinct cust_gender) genders "
        "from customers_cln"
    )
    return json.loads(stack.ok("sql", query, "--json"))


def generations(stack: RunningStack) -> list[str]:
    """List the generations on HDFS."""
    return sorted(Hdfs(stack.settings.webhdfs, user="spark").names(CUSTOMERS))


def write(folder: Path, lines: list[str]) -> str:
    """Write a customer file."""
    path = folder / "members.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_a_loaded_file_is_what_hive_and_the_producer_have(
    stack: RunningStack, rows: list[str]
) -> None:
    ids = [int(row.split(",")[0]) for row in rows]
    assert shown(stack) == [{"n": 2246, "ids": sum(ids), "genders": 3}]
    assert sorted(member.customer_id for member in read_members(stack.places)) == sorted(ids)
    assert (stack.places.data / "customers.loaded").exists()
    raw = Hdfs(stack.settings.webhdfs, user="spark").names(RAW_CUSTOMERS)
    assert sorted(raw) == sorted(f"{name}.csv" for name in generations(stack))


def test_refused_files_change_nothing(stack: RunningStack, rows: list[str], tmp_path: Path) -> None:
    before, numbers = shown(stack), generations(stack)
    eight = [row.rpartition(",")[0] for row in rows]
    six_percent = [row.replace("-", "/", 1) if n % 16 == 0 else row for n, row in enumerate(rows)]
    doubled = [*rows[:50], *rows[:50]]
    wrong = {"not nine": eight, "refused whole": six_percent, "50 DOUBLED": doubled, "empty": [""]}
    for sentence, lines in wrong.items():
        done = stack.run("customers", "load", write(tmp_path, lines))
        assert (done.returncode, done.stdout) == (1, ""), sentence
        assert sentence in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
    assert (shown(stack), generations(stack)) == (before, numbers)


def test_broken_rows_are_listed_without_personal_data(
    stack: RunningStack, rows: list[str], tmp_path: Path
) -> None:
    path = write(tmp_path, [*rows, "x,1,Secret Name", rows[0]])
    try:
        result = json.loads(stack.ok("customers", "load", path, "--json"))
        assert (result["rows"], result["rejected"]) == (2246, 2)
        listed = Path(result["rejected_file"]).read_text(encoding="utf-8").splitlines()
        assert listed == ["line,reason", "2247,FIELDS", "2248,DOUBLED"]
    finally:
        stack.ok("customers", "load", str(SHARED))
