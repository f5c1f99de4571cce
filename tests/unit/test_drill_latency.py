"""How long lines were on their way: which of them are measured, and what is too slow."""

from pathlib import Path

from drill.latency import HBASE, TABLE, Waits, plain_receipts, spread, too_slow
from producer.answer_key import HEADER, row
from producer.faults import Written


def line(order: str, at: int, number: int = 1) -> bytes:
    return f"7|{at}|{order}|{number}|SALE|3|latte|1|4.00|\n".encode()


def test_receipts_with_a_fault_and_of_other_times_are_left_out(tmp_path: Path) -> None:
    at = 1_796_000_000_000
    key = tmp_path / "key.tsv"
    lines = [
        Written(line("a-1", at)), Written(line("a-1", at, 2)), Written(line("a-2", at - 1)),
        Written(line("a-3", at + 9)), Written(line("a-4", at + 5)),
        Written(line("a-4", at + 5), "duplicate"), Written(b"nonsense\n", "malformed:FIELDS"),
        Written(line("a-5", at + 6), "late-days"), Written(line("a-6", at + 10)),
    ]  # fmt: skip
    key.write_bytes(HEADER + b"".join(map(row, lines)))
    assert plain_receipts(key, at, at + 9) == {"a-1": at, "a-3": at + 9}


def test_of_a_hundred_lines_the_slowest_is_the_longest() -> None:
    assert spread([number / 10 for number in range(1, 101)]) == Waits(5.0, 9.9, 10.0, 100)
    assert spread([0.5]) == Waits(0.5, 0.5, 0.5, 1)
    assert spread([]).lines == 0


def test_what_is_later_than_the_budget_is_a_complaint() -> None:
    assert too_slow({HBASE: Waits(0.2, 1.0, 9, 5), TABLE: Waits(3, 8.0, 9, 5)}, 5) == []
    (one,) = too_slow({HBASE: Waits(0.2, 1.1, 9, 5), TABLE: Waits(3, 8.0, 9, 5)}, 5)
    assert "HBase" in one
    assert too_slow({HBASE: Waits(0, 0, 0, 0)}, 5) == ["no line was measured in HBase"]
    (other,) = too_slow({HBASE: Waits(0.2, 0.3, 9, 5), TABLE: Waits(3, 8.2, 9, 5)}, 5)
    assert "transactions_cln" in other
