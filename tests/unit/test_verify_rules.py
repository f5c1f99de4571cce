"""Every rule of verify, broken once in a small world of lines; and what must not break one."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.verify import findings
from pipeline.verify.cut import StreamRecord
from pipeline.verify.report import Difference
from pipeline.verify.rules import RULES
from pipeline.verify.scratch import Scratch, open_scratch
from tests.unit.broken_worlds import BROKEN, OLD, X
from tests.unit.hop_world import (
    DAY,
    FUTURE,
    NOW,
    TOPIC,
    T,
    order,
    table,
    world,
)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with open_scratch(tmp_path, "America/New_York") as opened:
        yield opened


def found(differences: list[Difference]) -> set[tuple[str, str, bytes | None]]:
    return {(d.hop, d.kind, d.line) for d in differences}


def test_a_world_in_order_has_no_difference(scratch: Scratch) -> None:
    assert world().judge(scratch) == []
    counts = findings.counts(scratch)
    assert (counts.lines, counts.clean, counts.duplicates, counts.quarantined) == (6, 2, 1, 3)


def test_either_side_of_a_conflict_may_be_in_hbase(scratch: Scratch) -> None:
    made = world()
    made.hbase[0] = order(1)
    assert made.judge(scratch) == []


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Difference]]:
    """Give what is found in each broken world."""
    verdicts = {}
    for name, (breaking, _) in BROKEN.items():
        made = world()
        breaking(made)
        with open_scratch(tmp_path_factory.mktemp("world"), "America/New_York") as opened:
            verdicts[name] = made.judge(opened)
    return verdicts


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_with_its_line_and_hop(
    name: str, verdicts: dict[str, list[Difference]]
) -> None:
    assert BROKEN[name][1] in found(verdicts[name])


def test_the_loss_of_a_row_is_not_reported_again_for_its_conflict(
    verdicts: dict[str, list[Difference]],
) -> None:
    lost = verdicts["a row taken that has a conflict"]
    assert {(d.hop, d.kind, d.line) for d in lost} == {("transactions_cln", "missing", order(1))}


@pytest.mark.parametrize("name", ["a raw line taken", "a raw line added", "a row taken",
                                  "a file copied", "a row of HBase taken",
                                  "a row of HBase copied under another key"])  # fmt: skip
def test_one_fault_is_one_difference(name: str, verdicts: dict[str, list[Difference]]) -> None:
    assert [(d.hop, d.kind, d.line) for d in verdicts[name]] == [BROKEN[name][1]]


def test_every_rule_has_been_broken(
    scratch: Scratch, verdicts: dict[str, list[Difference]]
) -> None:
    older = world()
    older.held, older.log, older.raw = 1, older.log[1:], [*older.raw, X]
    older.arrival = date(2026, 1, 1)
    broken = {d.says for found in verdicts.values() for d in found}
    broken |= {d.says for d in older.judge(scratch)}
    for rule in RULES:
        beginning = rule.says.partition("{")[0]
        assert any(says.startswith(beginning) for says in broken), rule


def test_the_first_line_of_an_event_is_no_conflict_even_where_another_came_later(
    scratch: Scratch,
) -> None:
    """The other one of A-1 came at 5. After a line of another content it may be one."""
    made = world()
    made.topic += [order(1), order(2)]
    made.quar += [
        made.row(order(1), 2, reason="CONFLICT"),
        made.row(order(1), 6, reason="CONFLICT"),
    ]
    assert found(made.judge(scratch)) == {("quarantine", "wrong", order(1))}


@pytest.mark.parametrize(("early", "right"), [(True, False), (False, True)])
def test_what_came_too_early_did_not_come_before_a_conflict(
    scratch: Scratch, *, early: bool, right: bool
) -> None:
    """The event's lines: one at 6, FUTURE or not, another at 7, the first one again at 8. The row
    is the first line's, by 8, and the other one is quarantined as CONFLICT.
    """
    made = world()
    ahead = T + 600_000 + early
    first, other = order(20, ms=ahead), order(20, ms=ahead, amount="1.00")
    made.topic += [first, other, first]
    made.log += [first, other]
    made.raw += [first, other]
    made.hbase.append(first)
    made.cln.append(made.row(first, 8))
    made.quar += [made.row(other, 7, reason="CONFLICT")]
    made.quar += [made.row(first, 6, reason="FUTURE")] if early else []
    said = [d.says for d in made.judge(scratch) if "came before the row" in d.says]
    assert (said == []) is right


def test_what_came_before_a_conflict_may_have_expired(scratch: Scratch) -> None:
    made = world()
    made.topic += [order(2)]
    made.log.append(order(2, amount="1.00"))
    made.quar += [made.row(order(2), 6, reason="CONFLICT")]
    kinds = {d.says for d in made.judge(scratch)}
    assert not any("this very line" in says for says in kinds), kinds


@pytest.mark.parametrize(("ahead", "right"), [(600_001, True), (600_000, False)])
def test_a_future_line_is_more_than_ten_minutes_ahead(
    scratch: Scratch, ahead: int, right: bool
) -> None:
    made = world()
    made.topic_ts = T + 3_600_000 - ahead
    assert (made.judge(scratch) == []) is right


def test_lines_beyond_the_cut_are_left_out(scratch: Scratch) -> None:
    """Some hops have them, some do not: both are right while orders flow."""
    made = world()
    new = [order(20), order(21), order(1, amount="77.00")]
    made.reached = len(made.topic)
    made.topic += new
    made.log_tail = [*new, order(22)]
    made.raw.append(new[0])
    made.hbase[0] = new[2]
    made.hbase.append(new[1])
    made.cln.append(made.row(new[1], 7))
    assert made.judge(scratch) == []
    lines = {t.hop: t.distinct for t in findings.totals(scratch) if t.day == DAY}
    assert lines == {"log files": 4, "topic": 4, "HDFS raw": 4, "HBase": 2,
                     "transactions_cln": 2, "quarantine": 2}  # fmt: skip


def test_lines_between_the_files_lengths_and_the_topics_ends_count_at_every_hop(
    scratch: Scratch,
) -> None:
    """Orders flow on while the cut is made; the table's rows agree all the same."""
    made = world()
    new = order(20)
    made.topic.append(new)
    made.log_tail = [new, order(21)]
    made.raw.append(new)
    made.hbase.append(new)
    made.cln.append(made.row(new, 6))
    assert made.judge(scratch) == []
    found = {t.hop: (t.lines, t.hash) for t in findings.totals(scratch) if t.day == DAY}
    assert found["log files"] == found["topic"] == (6, found["HDFS raw"][1])


def test_what_retention_has_deleted_is_no_difference(scratch: Scratch) -> None:
    made = world()
    made.log, made.held = made.log[1:], 3
    made.topic_ts = T - 8 * 86_400_000
    made.raw += [order(30)]
    made.cln.append(made.row(order(30), 0, tid=OLD))
    made.hbase.append(order(30))
    made.arrival = date(2026, 11, 1)
    assert made.judge(scratch) == []


def test_raw_folders_that_were_not_read_excuse_old_rows_only(scratch: Scratch) -> None:
    made = world()
    old, new = order(30, ms=T - 30 * 86_400_000), order(31)
    made.held, made.full_from = 1, DAY
    made.cln += [made.row(old, 0, tid=OLD, day=date(2026, 10, 25)), made.row(new, 0, tid=OLD)]
    made.hbase += [new]
    assert found(made.judge(scratch)) == {("transactions_cln", "foreign", new)}


def test_the_batch_record_is_compared(scratch: Scratch) -> None:
    made = world()
    made.judge(scratch)
    right = {"lines": 6, "clean": 2, "duplicates": 1, "quarantined": 3}
    wrong = right | {"clean": 3, "duplicates": 0}
    record = StreamRecord("0001-000000000", TOPIC, ({0: (5, 6)}, right), ({0: (0, 6)}, right))
    assert findings.recorded(scratch, record, of_epoch=True) == []
    assert [d.says for d in findings.recorded(scratch, deepcopy(record), of_epoch=False)] != []
    record = StreamRecord("0001-000000000", TOPIC, ({}, {}), ({0: (0, 6)}, wrong))
    said = " and ".join(d.says for d in findings.recorded(scratch, record, of_epoch=True))
    assert said == (
        "batch record 0001-000000000 has counted 3 clean since its epoch began, but topic and "
        "tables have 2 and "
        "batch record 0001-000000000 has counted 0 duplicates since its epoch began, but topic and "
        "tables have 1"
    )


def test_totals_do_not_depend_on_order_or_repetition(scratch: Scratch) -> None:
    world().judge(scratch)
    totals = {(t.hop, t.day): t for t in findings.totals(scratch)}
    log, raw = totals["log files", DAY], totals["HDFS raw", DAY]
    assert (raw.lines, log.lines, raw.distinct) == (7, 5, log.distinct)
    assert (raw.amount, raw.hash) == (log.amount, log.hash)
    assert totals["log files", None].distinct == 1


def test_a_date_is_the_programmes_and_an_amount_a_plain_number(scratch: Scratch) -> None:
    midnight = int(datetime(2026, 3, 8, 5, tzinfo=UTC).timestamp() * 1000)
    lines = {
        order(1, ms=midnight): (date(2026, 3, 8), "65.0000"),
        order(1, ms=midnight - 1): (date(2026, 3, 7), "65.0000"),
        order(1, amount="1,00"): (DAY, None),
        order(1, amount="NaN"): (DAY, None),
        order(1, amount="-3.125"): (DAY, "-3.1250"),
        order(1, amount="9" * 13): (DAY, None),
        b"7|176400000000|A|1": (None, None),
        b"": (None, None),
        b"\xff|1764000000000|\x00|" + "é\\\"'".encode() + b"|5|6|7|8|1.5": (
            date(2025, 11, 24), "1.5000"),
    }  # fmt: skip
    scratch.load("hbase", table("hbase", [{"line": line} for line in lines]))
    read = scratch.rows("select line, day, amount::varchar from texts")
    assert {line: (day, amount) for line, day, amount in read} == lines


@pytest.mark.parametrize(
    ("held", "came", "now", "is_row", "unsure"),
    [
        pytest.param(5, -1, 2, False, 1, id="the verdict is older than what the topic holds"),
        pytest.param(0, -1, 2, False, 0, id="the topic holds all"),
        pytest.param(5, 0, 2, False, 0, id="the topic holds all that came since"),
        pytest.param(5, -1, 0, False, 0, id="it lies ahead even now"),
        pytest.param(5, -1, 2, True, 0, id="it has counted"),
    ],
)
def test_whether_a_line_once_future_counted_later(
    scratch: Scratch, *, held: int, came: int, now: int, is_row: bool, unsure: int
) -> None:
    """Hours from T on, when the topic got all that it still holds; FUTURE is of an hour later."""
    made = world()
    made.held = held
    made.quar[1].update(came=(T + came * 3_600_000) * 1000)
    made.cln += [made.row(FUTURE, 9)] if is_row else []
    made.judge(scratch)
    assert findings.unsure(scratch, NOW + timedelta(hours=now)) == unsure
