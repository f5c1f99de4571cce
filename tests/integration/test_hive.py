"""Hive's tables and the loyalty snapshot, on the real servers, in a database of the tests' own."""

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Event, Thread
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import orc

from drill.stack import OwnStack
from hive.session import connect
from hive.tables import TABLES, Partition, get_location, make_tables, partition_names, set_location
from pipeline.errors import Refused
from pipeline.generations import MARKER
from streaming.files import QUARANTINE, TRANSACTIONS, encode
from tests.integration.warehouse import AT, Warehouse
from tests.waiting import wait_until

DAY = date(2019, 4, 5)


def test_tables_are_there_and_made_again_stay_as_they_are(quiet_stack: OwnStack) -> None:
    with connect("127.0.0.1", quiet_stack.settings.hiveserver2_port, timeout=60) as session:
        before = [session.rows(f"show create table {table}") for table in TABLES]
        make_tables(session, quiet_stack.settings.hdfs)
        assert [session.rows(f"show create table {table}") for table in TABLES] == before


def test_a_snapshot_lists_every_member_with_the_spend_up_to_its_date(warehouse: Warehouse) -> None:
    warehouse.load_customers([1, 2, 3, 4], generation=1)
    warehouse.add_transactions(DAY - timedelta(days=1), [(1, "70.00"), (None, "60.00")])
    warehouse.add_transactions(DAY, [(1, "-0.01"), (2, "9999999.99"), (2, "9999999.99")])
    warehouse.add_transactions(DAY + timedelta(days=1), [(3, "5.00"), (1, "1.00")])
    warehouse.add_transactions(DAY, [(5, "8.00")])
    warehouse.refresh(DAY)
    assert warehouse.spend(DAY) == {
        1: Decimal("69.99"), 2: Decimal("19999999.98"), 3: Decimal("0.00"), 4: Decimal("0.00"),
    }  # fmt: skip
    rows = warehouse.session.rows("select * from loyalty where cust_id = 1")
    assert rows == [(1, "Zoë 1", "000000001", Decimal("69.99"), "2019-04-05")]


def test_without_any_transaction_every_member_has_nothing(warehouse: Warehouse) -> None:
    warehouse.load_customers([1, 2], generation=1)
    warehouse.refresh(DAY)
    assert warehouse.spend(DAY) == {1: Decimal("0.00"), 2: Decimal("0.00")}


def test_before_the_first_load_there_are_no_customers(warehouse: Warehouse) -> None:
    assert warehouse.session.rows("select * from customers_cln") == []


def test_again_gives_the_same_rows_as_a_new_generation(warehouse: Warehouse) -> None:
    warehouse.load_customers([1, 2], generation=1)
    warehouse.add_transactions(DAY, [(1, "70.00"), (2, "60.50")])
    first = warehouse.refresh(DAY)
    before = warehouse.spend(DAY)
    second = warehouse.refresh(DAY)
    assert warehouse.spend(DAY) == before
    assert (first[-3:], second[-3:]) == ("g=1", "g=2")
    assert get_location(warehouse.session, "loyalty", {"data_dt": DAY}).endswith(second)


def test_other_engines_find_the_columns_by_name(warehouse: Warehouse) -> None:
    warehouse.load_customers([1], generation=1)
    folder = warehouse.refresh(DAY)
    names = [path for path, _ in warehouse.hive.walk(folder)]
    (path,) = [path for path in names if not path.rpartition("/")[2].startswith("_")]
    schema = orc.ORCFile(io.BytesIO(warehouse.hive.read(path))).schema
    assert schema.names == ["cust_id", "cust_name", "cust_member_card_no", "spnd_amt"]
    assert schema.field("spnd_amt").type == pa.decimal128(18, 2)


def test_killed_while_it_builds_nothing_has_changed(warehouse: Warehouse) -> None:
    warehouse.load_customers([1], generation=1)
    warehouse.refresh(DAY)
    warehouse.add_transactions(DAY, [(1, "70.00")])
    warehouse.stage(DAY)
    warehouse.settle()
    assert warehouse.spend(DAY) == {1: Decimal("0.00")}
    warehouse.refresh(DAY)
    assert warehouse.spend(DAY) == {1: Decimal("70.00")}


@pytest.mark.parametrize("earlier", [0, 1])
def test_killed_between_rename_and_switch_the_next_one_switches(
    warehouse: Warehouse, earlier: int
) -> None:
    warehouse.load_customers([1], generation=1)
    for _ in range(earlier):
        warehouse.refresh(DAY)
    warehouse.add_transactions(DAY, [(1, "70.00")])
    staged, folder = warehouse.stage(DAY), f"{warehouse.mart}/loyalty/data_dt={DAY}"
    warehouse.hive.make_folder(folder)
    warehouse.hive.rename(staged, f"{folder}/g={earlier + 1}")
    assert warehouse.spend(DAY) == ({1: Decimal("0.00")} if earlier else {})
    warehouse.settle()
    assert warehouse.spend(DAY) == {1: Decimal("70.00")}
    assert partition_names(warehouse.session, "loyalty") == {f"data_dt={DAY}"}


def test_an_old_generation_goes_an_hour_after_the_switch(warehouse: Warehouse) -> None:
    warehouse.load_customers([1], generation=1)
    for _ in range(3):
        warehouse.refresh(DAY)
    warehouse.settle()
    assert warehouse.generations(DAY) == ["g=1", "g=2", "g=3"]
    folder = f"{warehouse.mart}/loyalty/data_dt={DAY}"
    assert [MARKER in warehouse.hive.names(f"{folder}/g={n}") for n in (1, 2, 3)] == [
        True,
        True,
        False,
    ]
    warehouse.settle(grace=0)
    assert warehouse.generations(DAY) == ["g=3"]
    assert warehouse.spend(DAY) == {1: Decimal("0.00")}


def test_a_reader_sees_the_old_or_the_new_one(quiet_stack: OwnStack, warehouse: Warehouse) -> None:
    """Each generation has one customer more; a reader must never see a number between or none."""
    warehouse.load_customers([1], generation=1)
    warehouse.refresh(DAY)
    seen: list[Any] = []
    stop = Event()
    database = warehouse.clean.rsplit("/", 1)[1]

    def read() -> None:
        with connect("127.0.0.1", quiet_stack.settings.hiveserver2_port, timeout=60) as session:
            while not stop.is_set():
                rows = session.rows(f"select cust_id from {database}.loyalty")
                seen.append(sorted(i for (i,) in rows))

    reader = Thread(target=read)
    reader.start()
    try:
        wait_until("the reader sees the first", lambda: [1] in seen)
        for size in (2, 3):
            ids = list(range(1, size + 1))
            warehouse.load_customers(ids, generation=size)
            warehouse.refresh(DAY)
            wait_until(f"the reader sees {ids}", lambda ids=ids: ids in seen)  # type: ignore[misc]
    finally:
        stop.set()
        reader.join(timeout=60)
    assert all(ids in ([1], [1, 2], [1, 2, 3]) for ids in seen), seen
    assert seen == sorted(seen, key=len)


def test_a_customer_listed_twice_is_refused_and_the_old_snapshot_stays(
    warehouse: Warehouse,
) -> None:
    warehouse.load_customers([1], generation=1)
    warehouse.refresh(DAY)
    warehouse.load_customers([1, 2, 2], generation=2)
    with pytest.raises(Refused, match="twice"):
        warehouse.refresh(DAY)
    assert list(warehouse.spend(DAY)) == [1]


def test_hive_reads_what_the_stream_writes_value_by_value(warehouse: Warehouse) -> None:
    before_1970 = datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)
    last = datetime(2286, 11, 20, 17, 46, 39, 999000, UTC)
    instants = [before_1970, AT, datetime(2024, 3, 10, 7, 0, tzinfo=UTC), last]
    rows = [
        {"cust_id": 9_999_999_999, "odr_menu": "caffè 😀", "odr_prc": Decimal("-9999999.99"),
         "odr_tms": "05-04-2019 12:00:00", "order_id": "A-1", "line_no": 999, "event": "REFUND",
         "store_id": 999_999, "quantity": 9_999_999, "amount": Decimal("9999999.99"), "ref": "A-0",
         "ordered_at": at, "ingested_at": at, "kafka_topic_id": "t", "kafka_partition": 1,
         "kafka_offset": 2**62} for at in instants
    ]  # fmt: skip
    rows.append(dict.fromkeys(TRANSACTIONS.names))
    folder = f"{warehouse.clean}/transactions_cln/odr_dt={DAY}/odr_hr=6/g=1"
    table = pa.Table.from_pylist(rows, schema=TRANSACTIONS)
    warehouse.spark.write(f"{folder}/x.parquet", encode(table, TRANSACTIONS))
    partition: Partition = {"odr_dt": DAY, "odr_hr": 6}
    set_location(warehouse.session, "transactions_cln", f"{warehouse.uri}{folder}", partition)
    expected = [
        (*(v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in row.values()),
         str(DAY), 6) for row in rows
    ]  # fmt: skip
    assert warehouse.session.rows("select * from transactions_cln") == expected
    aggregated = "select max(ordered_at), min(ordered_at), sum(amount), count(*), count(cust_id)"
    assert warehouse.session.rows(f"{aggregated} from transactions_cln where odr_dt = '{DAY}'") == [
        (last.replace(tzinfo=None), before_1970.replace(tzinfo=None),
         Decimal("39999999.96"), 5, 4)
    ]  # fmt: skip


def test_hive_reads_quarantined_bytes_as_they_were(warehouse: Warehouse) -> None:
    lines = [b"", b"\xff\x00|", b"\r\n", b"x" * 65_536]
    rows = [{"raw": raw, "reason": "FIELDS", "kafka_offset": n, "seen_at": AT}
            for n, raw in enumerate(lines)]  # fmt: skip
    folder = f"{warehouse.clean}/quarantine/arrival_dt={DAY}/g=1"
    table = pa.Table.from_pylist(rows, schema=QUARANTINE)
    warehouse.spark.write(f"{folder}/x.parquet", encode(table, QUARANTINE))
    set_location(warehouse.session, "quarantine", f"{warehouse.uri}{folder}", {"arrival_dt": DAY})
    found = warehouse.session.rows("select kafka_offset, raw from quarantine")
    assert found == list(enumerate(lines))


def test_a_result_may_be_larger_than_hiveserver2s_memory(warehouse: Warehouse) -> None:
    count, raw = 5000, b"x" * 65_536
    rows = [{"raw": raw, "reason": "FIELDS", "kafka_offset": n, "seen_at": AT}
            for n in range(count)]  # fmt: skip
    folder = f"{warehouse.clean}/quarantine/arrival_dt={DAY}/g=1"
    table = pa.Table.from_pylist(rows, schema=QUARANTINE)
    warehouse.spark.write(f"{folder}/x.parquet", encode(table, QUARANTINE))
    set_location(warehouse.session, "quarantine", f"{warehouse.uri}{folder}", {"arrival_dt": DAY})
    with warehouse.session.result("select kafka_offset, raw from quarantine") as result:
        assert result is not None
        found = [n for n, value in result.rows if value == raw]
    assert found == list(range(count))
