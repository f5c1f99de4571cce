"""verify's readers on real files: order logs, raw files, Parquet; and rows of HBase as lines."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import LoyaltyError
from pipeline.positions import read_positions
from pipeline.stores.raw import read_lines
from pipeline.stores.tables import QUARANTINE, TRANSACTIONS, read_copies
from pipeline.verify.hbase_rows import instant_filter
from pipeline.verify.hbase_rows import line as line_of
from pipeline.verify.order_log import complete_end, log_files, read_log
from streaming.files import TRANSACTIONS as COLUMNS
from streaming.files import encode
from tests.unit.order_rows import line, rows

CUT = 65_536


def lines_of(path: Path, start: int = 0) -> list[bytes]:
    tables = read_log(path, start, complete_end(path))
    return [value for table in tables for value in table["line"].to_pylist()]


def test_log_lines_are_as_flume_delivers_them(tmp_path: Path) -> None:
    path = tmp_path / "orders-20261124-000001.log"
    path.write_bytes(
        b"a|b\n\nwindows\r\ntwo\r\r\nin\rside\n\r\n"
        + b"x" * CUT + b"\r\n" + b"y" * (CUT + 1) + b"\n" + b"\xff\x00\x0b\x85\n" + b"torn"
    )  # fmt: skip
    assert lines_of(path) == [
        b"a|b", b"", b"windows", b"two\r", b"in\rside", b"",
        b"x" * CUT, b"y" * CUT, b"\xff\x00\x0b\x85",
    ]  # fmt: skip


def test_a_huge_line_is_cut_and_does_not_move_its_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "orders.log"
    path.write_bytes(b"before\n" + b"z" * (9 << 20) + b"\r\nafter\n")
    assert lines_of(path) == [b"before", b"z" * CUT, b"after"]
    assert lines_of(path, len(b"before\n"))[1:] == [b"after"]


@pytest.mark.parametrize(("text", "end"), [(b"", 0), (b"torn", 0), (b"a\n", 2), (b"a\nto", 2),
                                           (b"a\n" + b"t" * (9 << 20), 2)])  # fmt: skip
def test_a_torn_line_is_no_line(tmp_path: Path, text: bytes, end: int) -> None:
    path = tmp_path / "orders.log"
    path.write_bytes(text)
    assert complete_end(path) == end


def test_the_files_are_those_that_flume_tails(tmp_path: Path) -> None:
    for name in ("orders-2.log", "orders-1.log", "orders.txt", ".orders.log", "other.log"):
        (tmp_path / name).write_bytes(b"a\n")
    assert [file.path.name for file in log_files(tmp_path)] == ["orders-1.log", "orders-2.log"]


def test_positions_are_read_by_inode_and_name_and_torn_ones_again(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    assert read_positions(path) == {}
    path.write_text(json.dumps([{"inode": 5, "pos": 70, "file": "/a/orders-1.log"}]))
    assert read_positions(path) == {(5, "orders-1.log"): 70}
    path.write_text('[{"inode": 5, "po')
    assert read_positions(path, patience=0.1) == {}


def test_a_raw_file_keeps_cr_and_drops_a_last_half_line(tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_bytes(b"two\r\n\nhalf a li")
    assert [x for lines in read_lines(path) for x in lines] == [b"two\r", b""]


def test_a_row_of_hbase_is_its_line_again() -> None:
    key = b"|1795521600000|A-1|1|REFUND"
    columns = {b"d:store_id": b"3", b"d:item": "caffè".encode(), b"d:quantity": b"2",
               b"d:amount": b"0.50", b"d:ref": b"A-0"}  # fmt: skip
    assert line_of(key, columns) == key + "|3|caffè|2|0.50|A-0".encode()
    assert line_of(key, columns | {b"d:other": b"1"}) != line_of(key, columns)


@pytest.mark.parametrize("days", [1, 3, 40, 4000])
def test_the_filter_passes_every_instant_of_its_range(days: int) -> None:
    low = 1_795_496_400_000
    high = low + days * 86_400_000
    found = re.search(r"regexstring:([^']*)'", instant_filter(low, high))
    assert found
    pattern = re.compile(found[1])
    for ms in (low, low + 1, (low + high) // 2, high - 1):
        assert pattern.match(f"7|{ms}|A-1|1|SALE"), ms
        assert pattern.match(f"|{ms}|A-1|1|SALE"), ms
    assert not pattern.match(f"7|{high + (high - low)}|A-1|1|SALE")
    assert instant_filter(low, high).count("|") < 30


ZONE = "America/New_York"


def write_row(path: Path, **changed: object) -> None:
    instant = datetime(2026, 11, 1, 6, 30, 0, 7000, tzinfo=UTC)
    row = {
        "cust_id": 7, "odr_menu": "caffè ☕", "odr_prc": Decimal("0.50"),
        "odr_tms": "01-11-2026 01:30:00", "order_id": "A-1", "line_no": 1, "event": "SALE",
        "store_id": 3, "quantity": 2, "amount": Decimal("0.50"), "ref": None,
        "ordered_at": instant, "ingested_at": instant, "kafka_topic_id": "T",
        "kafka_partition": 0, "kafka_offset": 5,
    }  # fmt: skip
    money = pa.decimal128(12, 2)
    schema = pa.schema([
        ("cust_id", pa.int64()), ("odr_menu", pa.string()), ("odr_prc", money),
        ("odr_tms", pa.string()), ("order_id", pa.string()), ("line_no", pa.int32()),
        ("event", pa.string()), ("store_id", pa.int32()), ("quantity", pa.int32()),
        ("amount", money), ("ref", pa.string()), ("ordered_at", pa.timestamp("us", tz="UTC")),
        ("ingested_at", pa.timestamp("us", tz="UTC")), ("kafka_topic_id", pa.string()),
        ("kafka_partition", pa.int32()), ("kafka_offset", pa.int64()),
    ])  # fmt: skip
    table = pa.Table.from_pylist([row | changed], schema=schema)
    pq.write_table(table, path, store_schema=False)


def read_row(path: Path) -> tuple[bytes, bool]:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        row = connection.execute(
            f"select line, derived from ({TRANSACTIONS})", {"files": [str(path)], "zone": ZONE}
        ).fetchall()[0]
    return row[0], row[1]


def test_a_row_is_its_line_again(tmp_path: Path) -> None:
    path = tmp_path / "row.parquet"
    write_row(path)
    assert read_row(path) == ("7|1793514600007|A-1|1|SALE|3|caffè ☕|2|0.50|".encode(), True)
    write_row(path, cust_id=None, event="REFUND", ref="A-0", odr_prc=Decimal("-0.50"))
    assert read_row(path) == (
        "|1793514600007|A-1|1|REFUND|3|caffè ☕|2|0.50|A-0".encode(), True
    )  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [{"odr_prc": Decimal("0.51")}, {"odr_prc": None}, {"event": "REFUND"},
     {"odr_tms": "01-11-2026 06:30:00"}, {"odr_tms": None}],
)  # fmt: skip
def test_the_derived_columns_are_checked(tmp_path: Path, changed: dict[str, object]) -> None:
    write_row(tmp_path / "row.parquet", **changed)
    assert not read_row(tmp_path / "row.parquet")[1]


@pytest.mark.parametrize(
    "changed",
    [{"order_id": None}, {"amount": None}, {"ordered_at": None}, {"odr_menu": "espresso"},
     {"ordered_at": datetime(2026, 11, 1, 6, 30, 0, 7001, tzinfo=UTC)}],
)  # fmt: skip
def test_a_changed_field_gives_another_line(tmp_path: Path, changed: dict[str, object]) -> None:
    write_row(tmp_path / "right.parquet")
    write_row(tmp_path / "wrong.parquet", **changed)
    wrong = read_row(tmp_path / "wrong.parquet")[0]
    assert wrong is not None
    assert wrong != read_row(tmp_path / "right.parquet")[0]


def test_quarantine_gives_its_raw_bytes(tmp_path: Path) -> None:
    raw = b"\xff|\x00\r|x"
    seen_at = pa.array([1_793_505_599_007_000], pa.timestamp("us", tz="UTC"))
    table = pa.table({"raw": pa.array([raw]), "reason": ["FIELDS"], "kafka_topic_id": ["T"],
                      "kafka_partition": [0], "kafka_offset": [9], "seen_at": seen_at})  # fmt: skip
    pq.write_table(table, tmp_path / "q.parquet", store_schema=False)
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        query = f"select line, tid, p, off, reason, came, due from ({QUARANTINE})"
        parameters = {"files": [str(tmp_path / "q.parquet")], "zone": ZONE}
        assert connection.execute(query, parameters).fetchall() == [
            (raw, "T", 0, 9, "FIELDS", 1_793_505_599_007_000, date(2026, 10, 31))
        ]


def test_a_row_tells_its_hour_and_its_time_of_arrival(tmp_path: Path) -> None:
    """The hour is the programme's, here the second 1:30 of the night in which clocks go back."""
    write_row(tmp_path / "row.parquet")
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        query = f"select came, hour from ({TRANSACTIONS})"
        parameters = {"files": [str(tmp_path / "row.parquet")], "zone": ZONE}
        assert connection.execute(query, parameters).fetchall() == [(1_793_514_600_007_000, 1)]


def test_the_zones_agree() -> None:
    """DuckDB and Python must know the same clock changes: `up` fixes the zone for years."""
    start = datetime(2019, 1, 1, tzinfo=UTC)
    with duckdb.connect() as connection:
        for hours in range(0, 24 * 366 * 9, 151):
            instant = start + timedelta(hours=hours)
            day = connection.execute("select timezone($z, $t::timestamptz)::date",
                                     {"z": ZONE, "t": instant}).fetchall()[0][0]  # fmt: skip
            assert day == instant.astimezone(ZoneInfo(ZONE)).date()


@pytest.mark.parametrize("number", [0, 47])
def test_a_damaged_file_among_whole_ones_is_named(tmp_path: Path, number: int) -> None:
    """The first is found out when DuckDB looks for the columns, the last one by Arrow's reader."""
    group, day = {}, date(2019, 4, 1)
    whole = encode(rows(*(line(n) for n in range(200))), COLUMNS)
    for at in range(48):
        copy = tmp_path / f"{at:08}.parquet"
        copy.write_bytes(whole[:200] if at == number else whole)
        group[str(copy)] = f"/cln/odr_dt={day}/odr_hr=0/g=1/{at}.parquet"
    days = dict.fromkeys(group.values(), day)
    with duckdb.connect() as connection, pytest.raises(LoyaltyError) as raised:
        list(read_copies(connection, TRANSACTIONS, "UTC", group, days))
    said = str(raised.value)
    assert said.startswith(f"/cln/odr_dt={day}/odr_hr=0/g=1/{number}.parquet cannot be read: ")
    assert str(tmp_path) not in said
    assert list(tmp_path.iterdir()) == []
