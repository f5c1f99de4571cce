"""Names of files tell what is inside, and sort in the order in which they were written."""

from io import BytesIO

import pyarrow.parquet as pq

from streaming.files import (
    TRANSACTIONS,
    DataName,
    QuarantineName,
    encode,
    read_data_name,
    read_quarantine_name,
)
from streaming.stored import decoded
from tests.unit.order_rows import NOON, line, rows


def test_data_names_come_back() -> None:
    name = DataName(3, 12, 1, NOON, NOON + 5)
    assert name.text() == "0003-000000012-0001-1554134400000-1554134400005.parquet"
    assert read_data_name(name.text()) == name
    assert read_data_name("part-0000.parquet") is None


def test_quarantine_names_come_back() -> None:
    name = QuarantineName(3, 12, 1, 40, 4_000_000_000_000)
    assert read_quarantine_name(name.text()) == name
    assert read_quarantine_name(QuarantineName(1, 0, 0, 0, 0).text()) == (1, 0, 0, 0, 0)
    assert read_data_name(QuarantineName(1, 0, 0, 0, 0).text()) is None


def test_names_sort_by_epoch_then_batch() -> None:
    names = [
        DataName(e, b, s, NOON, NOON).text() for e in (1, 2, 10) for b in (0, 9, 10) for s in (0, 1)
    ]
    assert names == sorted(names)


def test_a_file_has_the_columns_of_the_table() -> None:
    table = pq.read_table(BytesIO(encode(rows(line(1), line(2, customer="")), TRANSACTIONS)))
    assert table.schema.equals(TRANSACTIONS)
    assert table["cust_id"].to_pylist() == [7, None]


def test_only_a_small_file_all_of_whose_rows_were_read_may_be_kept() -> None:
    """What is kept answers for the whole file later, whatever was asked for first."""
    file = encode(rows(line(1), line(2)), TRANSACTIONS)
    found, may_keep = decoded(file, ["order_id"], lambda _group: True)
    assert (len(found), may_keep) == (2, True)
    found, may_keep = decoded(file, ["order_id"], lambda _group: False)
    assert (len(found), may_keep) == (0, False)
