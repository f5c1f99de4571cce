"""Lines of a customer file -> rows of customers_cln, or the reason why a line is none.

The file is CSV (RFC 4180: quoted commas, doubled quotes) in nine columns, one member a line:
customer_id, home_store, name, email, since, card number, birthdate, gender, birth year. A header
is accepted, as are a byte order mark and CR LF. A quoted line break makes two broken rows.
"""

from typing import Final

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

LINES: Final = "line_no BIGINT, line STRING"
"""What `clean_customers` takes: lines without their ends, numbered from 1."""

CUSTOMERS: Final = (
    "cust_id BIGINT, cust_nm STRING, cust_email STRING, cust_strt_dt DATE, "
    "cust_member_card_no STRING, cust_birth_dt DATE, cust_birth_yr INT, cust_gender STRING, "
    "home_store INT"
)
"""The columns of customers_cln. Null where the file says nothing: e-mail, birth date and year; and
home_store where it is no store number (it decides nothing that a member would miss)."""

REASONS: Final = ("ENCODING", "FIELDS", "ID", "SINCE", "BIRTHDATE", "DOUBLED")
"""Why a row is broken; the first that applies."""

FIRST_DATE: Final = "1582-10-15"
"""The first day of the Gregorian calendar: Hive shows earlier dates of Parquet 10 days off."""

_FILE: Final = (
    "customer_id STRING, home_store STRING, name STRING, email STRING, since STRING, "
    "card STRING, birthdate STRING, gender STRING, birth_year STRING, broken STRING"
)
_CSV: Final = {"quote": '"', "escape": '"', "columnNameOfCorruptRecord": "broken"}
_BLANK: Final = r"\A[\s\p{Z}]+|[\s\p{Z}]+\z"


def clean_customers(lines: DataFrame) -> DataFrame:
    """Give each line but the header (schema LINES) once: CUSTOMERS, then line_no and reason.

    reason is null for a good row; of a broken one only line_no and reason are there, so that no
    personal data of it goes anywhere. An id that an earlier good row has is DOUBLED.
    """
    fields = _read(lines)
    ids = F.when(F.col("customer_id").rlike(r"\A[1-9][0-9]{0,9}\z"), F.col("customer_id"))
    dates = {name: _date(F.col(name)) for name in ("since", "birthdate")}
    reason = (
        # its names would be read with U+FFFD in them: nothing is mangled without a word
        F.when(~F.col("is_text"), "ENCODING")
        .when(F.col("is_broken"), "FIELDS")
        .when(ids.isNull(), "ID")
        .when(dates["since"].isNull(), "SINCE")
        .when(dates["birthdate"].isNull() & F.col("birthdate").isNotNull(), "BIRTHDATE")
    )
    same_id = Window.partitionBy("cust_id", "reason").orderBy("line_no")
    columns = {
        "cust_id": ids.try_cast("bigint"),
        "cust_nm": F.regexp_replace("name", _BLANK, ""),
        "cust_email": F.col("email"),
        "cust_strt_dt": dates["since"],
        "cust_member_card_no": F.replace("card", F.lit('"'), F.lit("")),
        "cust_birth_dt": dates["birthdate"],
        "cust_birth_yr": _number("birth_year", r"\A[1-9][0-9]{3}\z"),
        "cust_gender": F.when(F.col("gender") == "M", "MALE")
        .when(F.col("gender") == "F", "FEMALE")
        .otherwise("NA"),
        "home_store": _number("home_store", r"\A[1-9][0-9]{0,5}\z"),
    }
    checked = fields.select(
        *(value.alias(name) for name, value in columns.items()), "line_no", reason.alias("reason")
    )
    again = F.col("reason").isNull() & (F.row_number().over(same_id) > 1)
    judged = checked.withColumn("reason", F.when(again, "DOUBLED").otherwise(F.col("reason")))
    good = F.col("reason").isNull()
    return judged.select(
        *(F.when(good, F.col(name)).alias(name) for name in columns), "line_no", "reason"
    )


def _read(lines: DataFrame) -> DataFrame:
    """Split the lines into nine fields (null where empty), without the header."""
    is_first = F.col("line_no") == 1
    text = F.when(is_first, F.regexp_replace("line", r"\A\x{FEFF}", "")).otherwise(F.col("line"))
    text = F.regexp_replace(text, r"\r\z", "")
    row = F.from_csv(F.col("text"), _FILE, _CSV)
    # an open quote would swallow the rest of the line
    open_quote = F.length(F.regexp_replace("text", '[^"]', "")) % 2 == 1
    is_text = F.is_valid_utf8("line")
    fields = lines.select("line_no", text.alias("text"), is_text.alias("is_text")).select(
        "line_no", "text", "is_text", row.alias("row")
    )
    is_broken = F.col("row.broken").isNotNull() | open_quote | (F.col("text") == "")
    found = fields.select("line_no", "row.*", "is_text", is_broken.alias("is_broken"))
    has_name = F.coalesce("customer_id", F.lit("")).rlike(r"\A[^0-9]+\z")
    return found.filter(~(is_first & ~F.col("is_broken") & has_name))


def _date(text: Column) -> Column:
    """Read YYYY-MM-DD; null for anything else and for days that are none."""
    found = F.when(text.rlike(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z"), text.try_cast("date"))
    return F.when(found >= F.lit(FIRST_DATE).cast("date"), found)


def _number(name: str, pattern: str) -> Column:
    return F.when(F.col(name).rlike(pattern), F.col(name).try_cast("int"))
