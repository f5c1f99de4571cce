"""Rows as raw makes them, as they are live, and what the comparison of a rebuild says of them."""

from datetime import timedelta

import pyarrow as pa

from batch.comparison import Comparison, Outcome
from batch.master import KEPT
from batch.origins import find_origins, repaired_rows
from batch.topic_lines import take_messages
from streaming.files import QUARANTINE, TRANSACTIONS
from tests.unit.order_rows import APPENDED, rows

DAY = "odr_dt=2019-04-01/odr_hr=0"
LIVE = [*TRANSACTIONS.names, "odr_dt", "odr_hr"]


def rebuilt(*lines: str) -> pa.Table:
    """Give the rows that raw lines make, in their order."""
    made = rows(*lines)
    return made.select(KEPT).append_column("place", made["kafka_offset"])


def live(*lines: str | tuple[int, str], file: str = "/f") -> pa.Table:
    """Give rows as the table has them, at offsets of topic t's partition 0."""
    made = rows(*lines).select(LIVE)
    return made.append_column("file", pa.array([file] * len(made), pa.string()))


def changed(table: pa.Table, column: str, value: object) -> pa.Table:
    """Give the rows with another value in one column."""
    at = table.schema.get_field_index(column)
    values = pa.array([value] * len(table), table.schema.field(column).type)
    return table.set_column(at, table.schema.field(column), values)


def verdict(text: str, reason: str, offset: int, minute: int = 0) -> pa.Table:
    """Give a row of quarantine."""
    seen_at = APPENDED + timedelta(minutes=minute)
    return pa.Table.from_pylist(
        [{"raw": text.encode(), "reason": reason, "kafka_topic_id": "t", "kafka_partition": 0,
          "kafka_offset": offset, "seen_at": seen_at}], QUARANTINE,
    )  # fmt: skip


def judge(
    comparison: Comparison,
    made: pa.Table,
    there: pa.Table,
    *verdicts: pa.Table,
    reached: int = 1000,
    beyond: tuple[str, ...] = (),
) -> Outcome:
    comparison.take_rebuilt([made])
    comparison.take_live([there], "t", {0: reached})
    comparison.take_verdicts(verdicts)
    comparison.take_beyond(
        [pa.table({"line": pa.array([b.encode() for b in beyond], pa.binary())})]
    )
    return comparison.judge(20)


def messages(*lines: tuple[int, str]) -> pa.Table:
    """Give messages of the topic, appended an hour after APPENDED."""
    ts = int((APPENDED + timedelta(hours=1)).timestamp() * 1000)
    return pa.table({
        "line": pa.array([text.encode() for _, text in lines], pa.binary()),
        "p": pa.array([0] * len(lines), pa.int32()),
        "off": pa.array([offset for offset, _ in lines], pa.int64()),
        "ts": pa.array([ts] * len(lines), pa.int64()),
    })  # fmt: skip


def told(comparison: Comparison, *lines: tuple[int, str], held: int = 0) -> None:
    """Tell a comparison what the topic has; by the clock it is two hours after APPENDED."""
    now_ms = int((APPENDED + timedelta(hours=2)).timestamp() * 1000)
    take_messages(comparison, [messages(*lines)], "t", {0: held}, now_ms)


def repaired(comparison: Comparison, *lines: tuple[int, str], held: int = 0) -> pa.Table:
    """Give the rows of DAY after a repair, of what was judged before the topic was asked."""
    told(comparison, *lines, held=held)
    find_origins(comparison, "t")
    return repaired_rows(comparison, DAY).sort_by("order_id")


def origins(table: pa.Table) -> list[tuple[str, int | None]]:
    columns = (table[name].to_pylist() for name in ("order_id", "kafka_offset"))
    return list(zip(*columns, strict=True))
