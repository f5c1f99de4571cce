"""Lines of the topic -> rows of transactions_cln, or the reason why a line is none.

The same function runs on the stream and on a batch. The rules are those of the loyalty programme,
section 2; pipeline/order.py states them in plain Python, and tests/unit/test_clean.py compares the
two on lines made to differ.
"""

from typing import Final

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from pipeline.order import FUTURE_MS

LINES: Final = (
    "value BINARY, topic_id STRING, partition INT, offset BIGINT, timestamp TIMESTAMP"
)  # fmt: skip
"""What `clean` takes. value: a line without its end, null is an empty one. timestamp: the broker's
append time; null where a line carries none (a rebuild from raw files): it is never FUTURE then."""

CLEAN: Final = (
    "cust_id BIGINT, odr_menu STRING, odr_prc DECIMAL(12,2), odr_tms STRING, "
    "order_id STRING, line_no INT, event STRING, store_id INT, quantity INT, "
    "amount DECIMAL(12,2), ref STRING, ordered_at TIMESTAMP, ingested_at TIMESTAMP, "
    "kafka_topic_id STRING, kafka_partition INT, kafka_offset BIGINT, "
    "odr_dt DATE, odr_hr INT, arrival_dt DATE, reason STRING, raw BINARY"
)
"""What `clean` gives: the columns of transactions_cln, its two partition columns, the programme's
date of arrival, and reason and raw, which are null for a good line. Of a bad line only these two,
ingested_at, arrival_dt and the kafka_ columns are there."""

# Java regular expressions. `\A` and `\z` are the very ends: `$` would let a line feed pass. Java
# counts code points, so 60 emojis are 60 characters although they are 120 UTF-16 units. \p{Cc} are
# the control characters of Unicode (\p{Cntrl} only those of ASCII).
CHECKS: Final = (
    ("customer_id", r"\A(?:[1-9][0-9]{0,9})?\z", "CUSTOMER"),
    ("ordered_at", r"\A[1-9][0-9]{12}\z", "TIME"),
    ("order_id", r"\A[A-Za-z0-9-]{1,40}\z", "ORDER_ID"),
    ("line_no", r"\A[1-9][0-9]{0,2}\z", "LINE_NO"),
    ("event", r"\A(?:SALE|REFUND|REDEEM)\z", "EVENT"),
    ("store_id", r"\A[1-9][0-9]{0,5}\z", "STORE"),
    ("item", r"\A[^|\p{Cc}\x{FFFD}]{1,60}\z", "ITEM"),
    ("quantity", r"\A[1-9][0-9]{0,6}\z", "QUANTITY"),
    ("amount", r"\A(?:0|[1-9][0-9]{0,6})\.[0-9]{2}\z", "AMOUNT"),
    ("ref", r"\A[A-Za-z0-9-]{0,40}\z", "REF"),
)
"""Field, what all of it must match, and the fault's name, in the order of the line."""


def clean(
    lines: DataFrame, zone: str, partition_hours: int, most_bytes: int | None = None
) -> DataFrame:
    """Give each line (schema LINES) once, as a row of schema CLEAN.

    With most_bytes raw is null for a longer line, and a last column raw_bytes is its length there,
    else null. (Done in this select: one more would cost half as much as all the rest.)

    zone is the programme's IANA time zone. odr_hr is the first local hour of a block of
    partition_hours. Needs a session in UTC, as spark-defaults.conf sets it. CONFLICT is not
    decided here: it needs the other lines.
    """
    fields = _split(lines)
    checked = fields.withColumn("reason", _reason())
    good = F.col("reason").isNull()
    ordered_at = F.timestamp_millis(F.col("ordered_at").try_cast("bigint"))
    local = F.from_utc_timestamp(ordered_at, zone)
    amount = F.col("amount").try_cast("decimal(12,2)")
    signed = F.when(F.col("event") == "REFUND", -amount).otherwise(amount)
    columns = {
        "cust_id": F.col("customer_id").try_cast("bigint"),
        "odr_menu": F.col("item"),
        "odr_prc": signed,
        "odr_tms": F.date_format(local, "dd-MM-yyyy HH:mm:ss"),
        "order_id": F.col("order_id"),
        "line_no": F.col("line_no").try_cast("int"),
        "event": F.col("event"),
        "store_id": F.col("store_id").try_cast("int"),
        "quantity": F.col("quantity").try_cast("int"),
        "amount": amount,
        "ref": F.nullif(F.col("ref"), F.lit("")),
        "ordered_at": ordered_at,
    }
    days = {
        "odr_dt": F.to_date(local),
        "odr_hr": F.hour(local) - F.hour(local) % partition_hours,
    }
    raw = {"raw": F.when(~good, F.col("value"))}
    if most_bytes is not None:
        size = F.octet_length("value")
        raw = {
            "raw": F.when(~good & (size <= most_bytes), F.col("value")),
            "raw_bytes": F.when(~good & (size > most_bytes), size),
        }
    return checked.select(
        *(F.when(good, value).alias(name) for name, value in columns.items()),
        F.col("timestamp").alias("ingested_at"),
        F.col("topic_id").alias("kafka_topic_id"),
        F.col("partition").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        *(F.when(good, value).alias(name) for name, value in days.items()),
        F.to_date(F.from_utc_timestamp("timestamp", zone)).alias("arrival_dt"),
        "reason",
        *(value.alias(name) for name, value in raw.items()),
    )


def _split(lines: DataFrame) -> DataFrame:
    """Add `pipes` (counted on the bytes), `text` and the ten fields, null unless ten are there."""
    # a cast from binary keeps every byte, good UTF-8 or not
    text = F.col("value").cast("string")
    pipes = F.octet_length(text) - F.octet_length(F.replace(text, F.lit("|"), F.lit("")))
    counted = (
        lines.withColumn("value", F.coalesce("value", F.lit(b"")))
        .withColumn("text", text)
        .withColumn("pipes", pipes)
    )
    # a limit of -1 keeps empty fields at the end
    ten = F.when(F.col("pipes") == len(CHECKS) - 1, F.split("text", r"\|", -1))
    names = [name for name, _, _ in CHECKS]
    return counted.withColumn("fields", ten).select(
        *("value", "topic_id", "partition", "offset", "timestamp", "text", "pipes"),
        *(F.get("fields", F.lit(at)).alias(name) for at, name in enumerate(names)),
    )


def _reason() -> Column:
    """Name the first rule that a line breaks, null for a good line."""
    reason = F.when(F.col("pipes") != len(CHECKS) - 1, "FIELDS")
    reason = reason.when(~F.is_valid_utf8("text"), "ENCODING")
    is_refund, has_ref = F.col("event") == "REFUND", F.col("ref") != ""
    for name, pattern, fault in CHECKS:
        broken = ~F.col(name).rlike(pattern)
        if name == "amount":
            broken |= (F.col("event") == "REDEEM") & (F.col("amount") != "0.00")
        if name == "ref":
            broken |= is_refund != has_ref
        reason = reason.when(broken, fault)
    ahead = F.col("ordered_at").try_cast("bigint") - F.unix_millis("timestamp")
    return reason.when(ahead > FUTURE_MS, "FUTURE")
