"""SQL as files: how they are written, read, split and filled."""

import re
from datetime import date
from pathlib import Path

import pytest

from hive.session import end_of_statement, useful_sentence
from hive.sql import FOLDER, is_complete, read_statement, statements
from hive.tables import TABLES
from tests.unit.sql_texts import COLUMN, columns_of, text_of

OURS = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.sql"))
DDL = [f"ddl/{table}.sql" for table in TABLES]


@pytest.mark.parametrize("name", OURS)
def test_every_file_has_a_header_and_one_statement(name: str) -> None:
    header = text_of(name).partition("\n\n")[0]
    assert re.search(r"^-- Purpose: +\S", header, re.MULTILINE)
    assert re.search(r"^-- Run: +\./loyalty \S", header, re.MULTILINE)
    assert len(list(statements(text_of(name)))) == 1
    for parameter in set(re.findall(r"\{(\w+)\}", text_of(name))):
        assert re.search(rf"^-- (?:Parameters:)? +\{{{parameter}\}} ", header, re.MULTILINE)


@pytest.mark.parametrize("name", DDL)
def test_tables_are_external_commented_and_made_only_when_missing(name: str) -> None:
    text = text_of(name)
    assert re.search(rf"^CREATE EXTERNAL TABLE IF NOT EXISTS {Path(name).stem} \(", text, re.M)
    assert re.search(r"^\)\nCOMMENT '", text, re.MULTILINE)
    body = text[text.index("(") : text.index("STORED AS")]
    lines = [line for line in body.splitlines() if re.match(r"  \w", line)]
    assert len(lines) == len(COLUMN.findall(body)), "a column without a COMMENT"


def test_a_snapshot_is_built_with_the_columns_of_loyalty() -> None:
    assert columns_of("loyalty/staged.sql") == columns_of("ddl/loyalty.sql")[:-1]
    staged = text_of("loyalty/staged.sql")
    for _, _, comment in COLUMN.findall(text_of("ddl/loyalty.sql"))[:-1]:
        assert comment in staged


def test_days_are_summed_with_the_columns_of_spend_daily() -> None:
    assert columns_of("spend_daily/staged.sql") == columns_of("ddl/spend_daily.sql")


def test_dates_become_a_list_of_literals() -> None:
    statement = read_statement("spend_daily/sum.sql", dates=[date(2019, 4, 5), date(2019, 4, 6)])
    assert "IN (DATE '2019-04-05', DATE '2019-04-06')" in statement


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select 1", ["select 1"]),
        ("select 1; select 2 ;\n;", ["select 1", "select 2"]),
        ("-- only a comment", []),
        (" \n ", []),
        ("select ';' , \"a;b\", `c;d`; x", ["select ';' , \"a;b\", `c;d`", "x"]),
        (r"select 'it\'s; -- one'; x", [r"select 'it\'s; -- one'", "x"]),
        ("select '--', 1 -- two;\n, 2", ["select '--', 1  \n, 2"]),
        ("select /* ; */ 1; x", ["select   1", "x"]),
        ("select /*+ MAPJOIN(a) */ 1", ["select /*+ MAPJOIN(a) */ 1"]),
        ("select 3 - 2 / 1", ["select 3 - 2 / 1"]),
        ("select 'not closed; x", ["select 'not closed; x"]),
        ("select 1 /* not closed; x", ["select 1"]),
        ("select 'é中\n☕'; y", ["select 'é中\n☕'", "y"]),
    ],
)
def test_statements_are_split_outside_quotes_and_comments(text: str, expected: list[str]) -> None:
    assert list(statements(text)) == expected


@pytest.mark.parametrize(
    "text", ["select 1;", "a; b ;\n", "select 1; -- done", "x; /* y */ ", "select ';';", ";"]
)
def test_a_text_is_complete_behind_its_last_semicolon(text: str) -> None:
    assert is_complete(text)


@pytest.mark.parametrize(
    "text",
    ["", "select 1", "select 1; select 2", "select ';", "select 1 -- ;", "select `a;", "/*;*/"],
)
def test_a_text_goes_on_until_there_is_one(text: str) -> None:
    assert not is_complete(text)


def test_a_parameter_is_filled() -> None:
    statement = read_statement("ddl/loyalty.sql", hdfs="hdfs://127.0.0.1:8020")
    assert "LOCATION 'hdfs://127.0.0.1:8020/data/mart/loyalty'" in statement
    assert "--" not in statement


@pytest.mark.parametrize("value", ["", "x'y", "a b", "a;b", "a\nb", "a\\", "{hdfs}", '"'])
def test_no_parameter_can_leave_its_quotes(value: str) -> None:
    with pytest.raises(ValueError, match="plain value"):
        read_statement("ddl/loyalty.sql", hdfs=value)


def test_a_forgotten_parameter_is_noticed() -> None:
    with pytest.raises(ValueError, match="hdfs"):
        read_statement("ddl/loyalty.sql")


WRONG = (
    "Error while compiling statement: FAILED: SemanticException [Error 10001]: "
    "Line 1:14 Table not found 'nope'"
)
FAILED = (
    "Error while compiling statement: FAILED: Execution Error, return code 2 from "
    "org.apache.hadoop.hive.ql.exec.tez.TezTask. Vertex failed, diagnostics=[x\n\tat a.b(C)"
    "\nCaused by: java.util.concurrent.ExecutionException: java.io.IOException: gone"
    "\n\t... 18 more\nCaused by: java.io.FileNotFoundException: File x does not exist."
    "\n\tat org.apache.hadoop.hdfs.Y(Y.java:1)"
)
ASSERTED = (
    "Error while compiling statement: org.apache.hadoop.hive.ql.metadata.HiveException: "
    "ASSERT_TRUE(): assertion failed."
)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (WRONG, "SemanticException [Error 10001]: Line 1:14 Table not found 'nope'"),
        (FAILED, "FileNotFoundException: File x does not exist."),
        (ASSERTED, "HiveException: ASSERT_TRUE(): assertion failed."),
        (
            "Unable to get the next row set with exception: HiveException: it failed",
            "HiveException: it failed",
        ),
        ("Query timed out", "Query timed out"),
    ],
)
def test_of_hives_message_one_sentence_is_left(message: str, sentence: str) -> None:
    assert useful_sentence(message) == sentence


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (5, "it failed.", "The statement failed: it failed; correct what it"),
        (8, "Query timed out", "took too long: Query timed out; ask for less, or raise LOYALTY_G"),
        (4, "Hive gives no reason", "The statement was closed: Hive gives no reason; run it again"),
    ],
)
def test_the_end_of_a_statement_is_said_with_the_next_step(
    state: int, reason: str, said: str
) -> None:
    assert said in end_of_statement(state, reason)
