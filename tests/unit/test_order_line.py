"""The order line is defined once, in pipeline/order.py; every other schema says the same.

Field by field: Spark's schema and checks, the Parquet files' columns, Flume's regular expression
for HBase (run by Java, as Flume does), the HBase columns, the Hive tables.
"""

import re
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from hbase.codec import COLUMNS
from pipeline.order import FIELDS, FUTURE_MS, IDENTITY, REASONS, OrderLine, parse
from pipeline.places import FAMILY
from pipeline.settings import ROOT
from pipeline.verify import rules
from streaming import clean, files
from tests.hbase_rows import to_row
from tests.unit.nasty import nasty_lines
from tests.unit.sql_texts import columns_of

HIVE: Final = {
    "customer_id": ("cust_id", "BIGINT"),
    "ordered_at": ("ordered_at", "TIMESTAMP"),
    "order_id": ("order_id", "STRING"),
    "line_no": ("line_no", "INT"),
    "event": ("event", "STRING"),
    "store_id": ("store_id", "INT"),
    "item": ("odr_menu", "STRING"),
    "quantity": ("quantity", "INT"),
    "amount": ("amount", "DECIMAL(12,2)"),
    "ref": ("ref", "STRING"),
}
"""Each field's column in Hive."""

LARGEST: Final = OrderLine(
    9_999_999_999, 9_999_999_999_999, "A" * 40, 999, "REFUND", 999_999, "😀" * 60, 9_999_999,
    Decimal("9999999.99"), "Z" * 40,
)  # fmt: skip

FIELD_NAMES: Final = [field.name for field in FIELDS]
TRANSACTIONS: Final = columns_of("ddl/transactions_cln.sql")
PARTITIONS: Final = [("odr_dt", "DATE"), ("odr_hr", "INT")]

FLUME: Final = (ROOT / "flume" / "conf" / "flume.conf.j2").read_text(encoding="utf-8")


def flume_setting(name: str) -> str:
    """Read a setting of the HBase serializer; a properties file doubles every backslash."""
    found = re.search(rf"^loyalty\.sinks\.hbase\.serializer\.{name} = (.*)$", FLUME, re.MULTILINE)
    assert found, name
    return found[1].replace("\\\\", "\\")


def spark_columns(schema: str) -> list[tuple[str, str]]:
    return re.findall(r"(\w+) ([A-Z]+(?:\([0-9,]+\))?)", schema)


def test_the_order_line_has_these_fields_in_this_order() -> None:
    assert list(OrderLine.__dataclass_fields__) == FIELD_NAMES
    assert list(IDENTITY) == FIELD_NAMES[:5]
    assert list(HIVE) == FIELD_NAMES


def test_hive_has_a_column_for_every_field() -> None:
    columns = dict(TRANSACTIONS)
    assert {name: (column, columns.get(column)) for name, (column, _) in HIVE.items()} == HIVE


def test_the_largest_line_fits_into_its_columns() -> None:
    assert parse(LARGEST.text().encode()) == LARGEST
    limits = {"INT": 2**31 - 1, "BIGINT": 2**63 - 1, "DECIMAL(12,2)": Decimal("9999999999.99")}
    for name, (_, kind) in HIVE.items():
        assert kind not in limits or getattr(LARGEST, name) <= limits[kind]


def test_spark_has_the_columns_of_hive() -> None:
    columns = spark_columns(clean.CLEAN)
    assert columns[: len(TRANSACTIONS)] == TRANSACTIONS
    assert TRANSACTIONS[-2:] == PARTITIONS


def test_spark_checks_the_same_fields_for_the_same_reasons() -> None:
    assert [(name, fault) for name, _, fault in clean.CHECKS] == [
        (field.name, field.reason) for field in FIELDS
    ]
    assert rules.FUTURE_MS == FUTURE_MS


HIVE_OF_ARROW: Final = {
    pa.int64(): "BIGINT",
    pa.int32(): "INT",
    pa.string(): "STRING",
    pa.binary(): "BINARY",
    pa.decimal128(12, 2): "DECIMAL(12,2)",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP",
}


@pytest.mark.parametrize(
    ("schema", "name", "partitions"),
    [
        (files.TRANSACTIONS, "ddl/transactions_cln.sql", 2),
        (files.QUARANTINE, "ddl/quarantine.sql", 1),
    ],
)
def test_parquet_files_have_the_columns_of_hive(
    schema: pa.Schema, name: str, partitions: int
) -> None:
    columns = [(field.name, HIVE_OF_ARROW[field.type]) for field in schema]
    assert columns == columns_of(name)[:-partitions]


def test_the_quarantine_table_names_every_reason() -> None:
    text = (ROOT / "hive" / "ddl" / "quarantine.sql").read_text(encoding="utf-8")
    comment = re.search(r"reason +STRING +COMMENT '([^:]*):", text)
    assert comment
    assert re.findall(r"[A-Z_]+", comment[1]) == list(REASONS)


def test_hbase_has_a_column_for_every_field_after_the_key() -> None:
    assert [column.decode() for column in COLUMNS] == [f"{FAMILY}:{n}" for n in FIELD_NAMES[5:]]


def test_flume_writes_the_key_and_columns_that_the_codec_reads() -> None:
    assert flume_setting("rowKeyIndex") == "0"
    assert flume_setting("colNames").split(",") == ["ROW_KEY", *FIELD_NAMES[5:]]
    assert re.search(rf"^loyalty\.sinks\.hbase\.columnFamily = {FAMILY}$", FLUME, re.MULTILINE)


def flume_rows(spark: SparkSession, lines: list[bytes]) -> list[Any]:
    """Run Flume's expression in Java: for each line the six groups, null where it does not match.

    Flume decodes as UTF-8 (bad bytes become U+FFFD) and asks for a match of the whole line.
    """
    pattern = rf"\A(?:{flume_setting('regex')})\z"
    texts = [(number, line.decode("utf-8", "replace")) for number, line in enumerate(lines)]
    frame: DataFrame = spark.createDataFrame(texts, "number INT, line STRING")
    groups = F.array(*(F.regexp_extract("line", pattern, n) for n in range(1, 7)))
    found = frame.select("number", F.when(F.col("line").rlike(pattern), groups).alias("groups"))
    return [row["groups"] for row in found.orderBy("number").collect()]


def test_flume_passes_to_hbase_exactly_the_order_lines(spark: SparkSession) -> None:
    largest = LARGEST.text().encode()
    early = largest.replace(b"|9999999999999|", b"|999999999999|")
    lines = [*nasty_lines(seed=9, count=4000), largest, early]
    matched = 0
    for line, groups in zip(lines, flume_rows(spark, lines), strict=True):
        order = parse(line)
        if not isinstance(order, OrderLine):
            assert groups is None, (line, order)
            continue
        key, cells = to_row(order)
        assert groups == [key.decode(), *(cells[column].decode() for column in COLUMNS)], line
        matched += 1
    assert 500 < matched < len(lines) - 500
