"""The hostile lines: the table, the referee and the product's rules say the same of each."""

from collections import Counter
from pathlib import Path

import pytest

from drill import hostile
from drill.hostile_count import Expected, Found, judge_count
from drill.hostile_lines import LONGEST, fuzzed, hand_made
from drill.judge import arrives, judge
from drill.stack import describe
from drill.verdict import Count
from pipeline.order import REASONS, Fault, parse

NOW_MS = 1_795_000_000_000
GOOD = b"7|1554120000000|A-1|1|SALE|3|latte|2|140.00|"


def test_the_table_has_every_reason_and_good_lines_and_the_referee_agrees() -> None:
    lines = hand_made("R", NOW_MS)
    assert {h.reason for h in lines} == {"", *REASONS} - {"CONFLICT"}
    assert [h for h in lines if judge(arrives(h.line), NOW_MS) != h.reason] == []
    assert max(len(h.line) for h in lines) > LONGEST
    assert not any(b"\n" in h.line for h in lines)


def test_each_line_of_the_table_that_is_good_is_an_event_of_its_own() -> None:
    good = [arrives(h.line).split(b"|")[:5] for h in hand_made("R", NOW_MS) if not h.reason]
    assert len({b"|".join(fields) for fields in good}) == len(good)


def test_the_referee_and_the_products_rules_say_the_same_of_fuzzed_lines() -> None:
    seen: Counter[str] = Counter()
    for line in map(arrives, fuzzed("R", 3, 20_000)):
        reason, parsed = judge(line, NOW_MS), parse(line)
        assert (parsed.reason if isinstance(parsed, Fault) else "") == reason.replace("FUTURE", "")
        seen[reason] += 1
    assert set(seen) >= {"", *REASONS} - {"CONFLICT", "FUTURE"}


def test_fuzzed_lines_have_carriage_returns_amid_them_and_no_line_feed() -> None:
    lines = list(fuzzed("R", 3, 5_000))
    assert sum(b"\r" in line[:-1] for line in lines) > 20
    assert not any(b"\n" in line for line in lines)


def test_the_same_seed_gives_the_same_lines() -> None:
    assert list(fuzzed("R", 3, 50)) == list(fuzzed("R", 3, 50)) != list(fuzzed("R", 4, 50))


@pytest.fixture
def expected() -> Expected:
    made = Expected("G", NOW_MS)
    made.take(GOOD, "")
    made.take(GOOD.replace(b"A-1", b"G-1"), "")
    made.take(GOOD.replace(b"SALE", b"VOID"), "EVENT")
    return made


def test_what_is_as_expected_is_counted_as_well(expected: Expected) -> None:
    before, after = Found(5, 100, 0, Counter()), Found(7, 28_100, 1, expected.bad)
    count = judge_count(before, after, expected)
    assert (count.lines, count.differences) == (3, [])
    assert (count.lost, count.duplicated, count.wrong) == (0, 0, 0)


def test_lost_doubled_and_wrong_lines_are_counted(expected: Expected) -> None:
    before = Found(0, 0, 0, Counter())
    ((_, digest),) = expected.bad
    lost = judge_count(before, Found(1, 14_000, 0, Counter()), expected)
    assert (lost.lost, lost.duplicated, lost.wrong) == (2, 0, 0)
    doubled = judge_count(before, Found(3, 42_000, 1, Counter({("EVENT", digest): 2})), expected)
    assert (doubled.lost, doubled.duplicated, doubled.wrong) == (0, 2, 0)
    wrong = judge_count(before, Found(2, 28_000, 1, Counter({("STORE", digest): 1})), expected)
    assert (wrong.lost, wrong.duplicated, wrong.wrong) == (0, 0, 1)
    assert "is STORE, and should be EVENT" in wrong.differences[0]


@pytest.mark.parametrize("judge_name", ["_verify", "compare"])
def test_who_dies_while_the_lines_are_counted_is_noticed(
    judge_name: str, expected: Expected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {"flume": (7, 0), "kafka": (8, 0)}
    now = dict(before)

    def dies(*_: object) -> Count:
        now["kafka"] = (9, 1)
        return Count()

    monkeypatch.setattr(hostile, "_lives", lambda _: now)
    for name in ("_verify", "compare"):
        monkeypatch.setattr(hostile, name, dies if name == judge_name else lambda *_: Count())
    found = Found(0, 0, 0, Counter())
    outcome = hostile.conclude(describe(tmp_path), [], before, found, expected)
    assert outcome.complaints == ["kafka was process 8 with 0 restarts and is (9, 1)"]
