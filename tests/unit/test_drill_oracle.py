"""The oracle says beforehand what Hive has to show, and sees one line lost, doubled or changed."""

import hashlib
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from drill.oracle import Answer, Expected, compare, expect, statements

RUN = "run-0123456789abcdef"
SALE = f"7|1795544902930|{RUN}-1|1|SALE|3|latte|1|4.50|"
SECOND = f"7|1795544902930|{RUN}-1|2|SALE|3|mocha|2|9.00|"
WALK_IN = f"|1795544903000|{RUN}-2|1|SALE|3|latte|1|4.50|"
REFUND = f"7|1795544904001|{RUN}-3|1|REFUND|3|latte|1|4.50|{RUN}-1"
CONFLICT = f"7|1795544902930|{RUN}-1|1|SALE|3|latte|1|4.51|"
BROKEN = f"7|1795544902930|{RUN}-1-bad|1|SALE|3|latte|1|4,50|"
OTHERS = "8|1795544902930|TILL-1|1|SALE|3|latte|1|2.00|"
TOLD = [(SALE, ""), (SECOND, ""), (WALK_IN, "late-days"), (BROKEN, "malformed:AMOUNT"),
        (CONFLICT, "conflict"), (REFUND, ""), (SALE, "duplicate")]  # fmt: skip


def row(line: str, fault: str) -> str:
    """Give a key's row as docs/answer-key.md describes it."""
    digest = hashlib.md5(line.encode(), usedforsecurity=False).hexdigest()
    fields = line.split("|")
    return f"{'|'.join(fields[:5])}\t{digest}\t{fields[8]}\t{fault}\n"


def expected(folder: Path, lines: list[str], told: list[tuple[str, str]] = TOLD) -> Expected:
    """Write a log of two files and a key, and ask the oracle."""
    half = len(lines) // 2
    for name, part in (("orders-1.log", lines[:half]), ("orders-2.log", lines[half:])):
        (folder / name).write_text("".join(f"{line}\n" for line in part))
    key = folder / "key.tsv"
    rows = "".join(row(*entry) for entry in told)
    key.write_text(f"identity\thash\tamount\tfault\n{rows}7|half a ro")
    return expect(folder, key)


LINES = [OTHERS, *(line for line, _ in TOLD)]


def test_what_hive_has_to_show(tmp_path: Path) -> None:
    found = expected(tmp_path, LINES)
    content = sum(
        zlib.crc32(text.encode())
        for text in (
            f"7|2026-11-24 18:28:22.93|{RUN}-1|1|SALE|3|latte|1|450|",
            f"7|2026-11-24 18:28:22.93|{RUN}-1|2|SALE|3|mocha|2|900|",
            f"|2026-11-24 18:28:23|{RUN}-2|1|SALE|3|latte|1|450|",
            f"7|2026-11-24 18:28:24.001|{RUN}-3|1|REFUND|3|latte|1|450|{RUN}-1",
        )
    )
    assert found == Expected(Answer(4, 4, 450 + 900 + 450 - 450, content), 0, 0, frozenset({RUN}))
    counted = compare(found, found.answer, ends=1)
    assert (counted.lost, counted.duplicated, counted.wrong) == (0, 0, 0)
    assert counted.differences == []


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        ({"rows": 3, "identities": 3, "cents": 900}, "lost"),
        ({"rows": 5, "cents": 1800}, "duplicated"),
        ({"cents": 1351}, "wrong"),
        ({"content": 1}, "wrong"),
        ({"rows": 5, "identities": 5}, "wrong"),
    ],
)
def test_one_line_is_enough(tmp_path: Path, seen: dict[str, int], fault: str) -> None:
    """One lost, doubled, of another amount, of another item, and one that nobody wrote."""
    wanted = expected(tmp_path, LINES)
    counted = compare(wanted, replace(wanted.answer, **seen), ends=1)
    faults = {name: getattr(counted, name) for name in ("lost", "duplicated", "wrong")}
    assert faults == {"lost": 0, "duplicated": 0, "wrong": 0} | {fault: 1}
    assert len(counted.differences) == 1


def test_a_line_that_the_log_lost(tmp_path: Path) -> None:
    """Hive agrees with the log files, and the key does not."""
    wanted = expected(tmp_path, [line for line in LINES if line != REFUND])
    counted = compare(wanted, wanted.answer, ends=1)
    assert counted.lost == 1
    assert counted.differences == ["1 lines of the key are not in the log files."]


def test_a_till_may_leave_one_untold_line_an_end(tmp_path: Path) -> None:
    """Its order is left open, as nobody knows what it is; more than one an end is a difference."""
    untold = f"7|1795544905000|{RUN}-4|2|SALE|3|latte|1|4.50|"
    first = untold.replace("|2|SALE", "|1|SALE")
    wanted = expected(tmp_path, [*LINES, first, untold, SALE], [*TOLD, (first, "")])
    assert (wanted.answer.rows, wanted.untold) == (4, 2)
    assert wanted.unknown == {f"{RUN}-4"}
    for statement in statements(wanted):
        assert f"order_id not in ('{RUN}-4')" in statement
    assert not compare(wanted, wanted.answer, ends=2).differences
    assert compare(wanted, wanted.answer, ends=1).differences == [
        "The log files have 2 lines that the key lacks, and the till has ended 1 times only."
    ]


def test_only_its_own_runs_are_asked_for(tmp_path: Path) -> None:
    wanted = expected(tmp_path, [*LINES, "7|1|x' or 'a' = 'a|1|SALE|3|latte|1|4.50|"])
    for statement in statements(wanted):
        assert f"substr(order_id, 1, 20) in ('{RUN}')" in statement
        assert " or " not in statement
