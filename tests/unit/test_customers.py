"""The cleaning rules of the customer file."""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from batch.customers import CUSTOMERS, LINES, REASONS, clean_customers
from batch.job import check
from pipeline.errors import Refused
from tests.shared_data import CUSTOMERS as FILE
from tests.shared_data import require_data

GOOD = '7,3,Kelly Key,k@example.org,2017-01-04,"908-424-2890",1950-05-29,M,1950'
FIELDS = (
    "customer_id", "home_store", "name", "email", "since", "card", "birthdate", "gender",
    "birth_year",
)  # fmt: skip


def row(**changes: str) -> str:
    """Give the good row with some fields changed, as they stand in the file."""
    values = dict(zip(FIELDS, GOOD.split(","), strict=True))
    return ",".join((values | changes).values())


def cleaned(spark: SparkSession, *lines: str) -> list[dict[str, Any]]:
    """Clean the lines of a file."""
    frame = spark.createDataFrame(list(enumerate(lines, start=1)), LINES)
    return sorted(clean_customers(frame).toArrow().to_pylist(), key=lambda r: int(r["line_no"]))


def test_a_good_row(spark: SparkSession) -> None:
    (found,) = cleaned(spark, GOOD)
    assert found == {
        "cust_id": 7, "cust_nm": "Kelly Key", "cust_email": "k@example.org",
        "cust_strt_dt": date(2017, 1, 4), "cust_member_card_no": "908-424-2890",
        "cust_birth_dt": date(1950, 5, 29), "cust_birth_yr": 1950, "cust_gender": "MALE",
        "home_store": 3, "line_no": 1, "reason": None,
    }  # fmt: skip


NAMES = {
    "  Ann  Lee ": "Ann  Lee", "\tAnn\u00a0": "Ann", "O'Neil": "O'Neil", '"Lee, Ann"': "Lee, Ann",
    '"Ann ""Al"" Lee"': 'Ann "Al" Lee', "สมชาย ใจดี": "สมชาย ใจดี", "": None, '"  "': "",
}  # fmt: skip


def test_names_are_trimmed_and_kept(spark: SparkSession) -> None:
    lines = [row(customer_id=str(n), name=name) for n, name in enumerate(NAMES, start=1)]
    assert [r["cust_nm"] for r in cleaned(spark, *lines)] == list(NAMES.values())


BROKEN = {
    "": "FIELDS", ",,,,,,,,": "ID", GOOD + ",": "FIELDS", GOOD.rpartition(",")[0]: "FIELDS",
    row(birth_year='"1950'): "FIELDS", row(name='"Kelly'): "FIELDS",
    row(customer_id="07"): "ID", row(customer_id="0"): "ID", row(customer_id=""): "ID",
    row(customer_id="12345678901"): "ID", row(customer_id="7a"): "ID", row(customer_id=" 7"): "ID",
    row(customer_id="٧"): "ID", row(customer_id="-7"): "ID",
    row(since=""): "SINCE", row(since="2017-02-29"): "SINCE", row(since="04/01/2017"): "SINCE",
    row(since="2017-1-4"): "SINCE", row(since="1500-01-01"): "SINCE",
    row(since="0000-00-00"): "SINCE",
    row(since="2017-01-04 "): "SINCE", row(birthdate="1950-13-01"): "BIRTHDATE",
    row(birthdate="unknown"): "BIRTHDATE",
}  # fmt: skip


def test_broken_rows(spark: SparkSession) -> None:
    found = cleaned(spark, *BROKEN)
    assert [r["reason"] for r in found] == list(BROKEN.values())
    # nothing personal of them is left
    empty = {name.split()[0] for name in CUSTOMERS.split(", ")}
    assert all(r[name] is None for r in found for name in empty)


def test_bytes_that_are_no_utf8_are_rejected_and_not_mangled(spark: SparkSession) -> None:
    latin = row(name="Café").encode("latin-1")
    rows = spark.createDataFrame([(1, row().encode()), (2, latin)], "line_no LONG, line BINARY")
    found = clean_customers(rows.select("line_no", rows.line.cast("string").alias("line")))
    assert [r["reason"] for r in found.orderBy("line_no").collect()] == [None, "ENCODING"]


def test_what_may_be_missing(spark: SparkSession) -> None:
    lines = (
        row(birthdate="", birth_year="", gender="", email="", home_store="none"),
        row(customer_id="8", gender="X", birth_year="50", birthdate="2000-02-29"),
    )
    first, second = cleaned(spark, *lines)
    assert first["reason"] is None
    assert (first["cust_birth_dt"], first["cust_birth_yr"], first["cust_email"]) == (None,) * 3
    assert (first["cust_gender"], first["home_store"]) == ("NA", None)
    assert (second["cust_gender"], second["cust_birth_yr"]) == ("NA", None)
    assert second["cust_birth_dt"] == date(2000, 2, 29)


@pytest.mark.parametrize(("letter", "word"), [("M", "MALE"), ("F", "FEMALE"), ("N", "NA")])
def test_genders(spark: SparkSession, letter: str, word: str) -> None:
    assert cleaned(spark, row(gender=letter))[0]["cust_gender"] == word


def test_an_id_seen_before_is_rejected(spark: SparkSession) -> None:
    lines = (row(since="never"), row(name="First"), row(name="Again"), row(customer_id="8"), row())
    found = cleaned(spark, *lines)
    assert [r["reason"] for r in found] == ["SINCE", None, "DOUBLED", None, "DOUBLED"]
    assert found[1]["cust_nm"] == "First"


def test_header_mark_and_line_ends(spark: SparkSession) -> None:
    header = "customer_id,home_store,name,email,since,card,birthdate,gender,birth_year"
    found = cleaned(spark, "\ufeff" + header + "\r", GOOD + "\r", row(customer_id="8"))
    assert [(r["line_no"], r["cust_id"], r["reason"]) for r in found] == [
        (2, 7, None),
        (3, 8, None),
    ]
    assert found[0]["cust_birth_yr"] == 1950
    assert [r["cust_id"] for r in cleaned(spark, "\ufeff" + GOOD)] == [7]
    # a header is the first line only, and nine columns wide
    assert [r["reason"] for r in cleaned(spark, GOOD, header)] == [None, "ID"]
    assert [r["reason"] for r in cleaned(spark, "id,name")] == ["FIELDS"]


def test_reasons_are_those_that_are_named(spark: SparkSession) -> None:
    assert {*BROKEN.values(), "ENCODING", "DOUBLED"} == {*REASONS}


def test_the_chains_own_file(spark: SparkSession) -> None:
    require_data()
    lines = FILE.read_text(encoding="utf-8").splitlines()
    found = cleaned(spark, *lines)
    assert {r["reason"] for r in found} == {None}
    wanted = [(int(r[0]), r[2].strip(), r[5].replace('"', "")) for r in csv.reader(lines)]
    assert [(r["cust_id"], r["cust_nm"], r["cust_member_card_no"]) for r in found] == wanted
    assert len(found) == 2246


def test_more_broken_rows_than_five_in_a_hundred_are_some_other_file(
    spark: SparkSession, tmp_path: Path
) -> None:
    good = [row(customer_id=str(n)) for n in range(1, 96)]

    def judged(*lines: str) -> tuple[int, int]:
        frame = spark.createDataFrame(list(enumerate(lines, start=1)), LINES)
        found = check(frame, "members.csv", tmp_path / "rejected.csv")
        return found.rows, found.broken

    assert judged(*good, *[row(since="")] * 5) == (100, 5)
    assert len((tmp_path / "rejected.csv").read_text().splitlines()) == 6
    with pytest.raises(Refused, match=r"^members.csv is refused whole: 6 of 101 .*\(6 SINCE\)"):
        judged(*good, *[row(since="")] * 6)
    with pytest.raises(Refused, match=r"^members.csv has no rows"):
        judged("customer_id,home_store,name,email,since,card number,birthdate,gender,birth year")
