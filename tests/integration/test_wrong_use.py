"""Wrong use of a running stack ends in a sentence and a code, never in a traceback."""

import re
import subprocess
from pathlib import Path

import pytest

from drill.stack import OwnStack


def refused(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Check a refusal: the code, nothing on stdout, no traceback. Gives its sentence."""
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return re.sub(r"\s+", " ", done.stderr)


@pytest.mark.parametrize("word", ["0", "-1", "abc", "0/s", "5", "5/h", "100001/s", "0s", ""])
def test_a_wrong_rate(stack: OwnStack, word: str) -> None:
    said = refused(stack.run("rate", "--", word), 2)
    assert "30s" in said
    assert "max" in said


def test_wrong_sql_gives_hives_own_words(stack: OwnStack) -> None:
    said = refused(stack.run("sql", "select nope from loyalty"), 1)
    assert "nope" in said
    assert "`describe TABLE` tell the names" in said


def test_a_table_that_is_not_there(stack: OwnStack) -> None:
    assert "no_such_table" in refused(stack.run("sql", "select * from no_such_table"), 1)


def test_an_unknown_component(stack: OwnStack) -> None:
    said = refused(stack.run("logs", "zookeeper"), 2)
    assert "kafka, namenode" in said


def test_a_receipts_file_with_other_headers(stack: OwnStack, tmp_path: Path) -> None:
    file = tmp_path / "receipts.csv"
    file.write_text("a,b,c\n1,2,3\n")
    assert "transaction_id" in refused(stack.run("replay", str(file)), 1)


def test_a_file_that_is_not_there(stack: OwnStack, tmp_path: Path) -> None:
    missing = str(tmp_path / "none.csv")
    for command in (("replay", missing), ("customers", "load", missing),
                    ("produce", "--from", missing), ("sql", "-f", missing)):  # fmt: skip
        assert "none.csv" in refused(stack.run(*command), 2)


def test_a_customer_id_that_is_none(stack: OwnStack) -> None:
    assert "'abc'" in refused(stack.run("orders", "abc"), 2)


def test_a_refresh_of_tomorrow(stack: OwnStack) -> None:
    said = refused(stack.run("refresh", "--data-dt", "2199-01-01"), 1)
    assert "2199-01-01 is in the future" in said


def test_a_line_that_is_too_long_is_named(stack: OwnStack) -> None:
    text = "good\n" + "x" * 65_537 + "\n"
    said = refused(stack.run("produce", "--from", "-", stdin=text), 1)
    assert "line 2" in said.lower()
