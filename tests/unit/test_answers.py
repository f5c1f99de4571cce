"""What verify makes of an answer key: each rule broken once in a small world of lines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.verify.answer_key import key_days, load_key, open_key
from pipeline.verify.answers import judge_key
from pipeline.verify.report import Difference, KeyCounts
from pipeline.verify.scratch import Scratch, open_scratch
from producer.answer_key import HEADER, row
from producer.faults import Written
from tests.unit.hop_world import BAD, CONFLICT, DAY, FUTURE, World, order, world


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    with open_scratch(tmp_path, "America/New_York") as opened:
        yield opened


KEY = [
    Written(order(1)), Written(order(2)), Written(order(1), "duplicate"),
    Written(BAD, "malformed:FIELDS"), Written(FUTURE, "malformed:FUTURE"),
    Written(CONFLICT, "conflict"),
]  # fmt: skip
"""What was written into the world of test_verify_rules."""


def judged(
    scratch: Scratch, folder: Path, made: World, key: list[Written]
) -> tuple[KeyCounts, list[Difference]]:
    path = folder / "key.tsv"
    path.write_bytes(HEADER + b"".join(map(row, key)))
    load_key(scratch, open_key(path))
    made.judge(scratch)
    counts, listed, found = judge_key(scratch, 100)
    assert found == len(listed)
    return counts, listed


@pytest.mark.parametrize(
    ("lines", "limit"),
    [(0, "286.1 MiB"), (2_000_000, "286.1 MiB"), (4_000_000, "495.9 MiB"), (10**9, "953.6 MiB")],
)
def test_more_lines_may_take_more_memory(scratch: Scratch, lines: int, limit: str) -> None:
    scratch.allow(lines)
    assert scratch.value("select current_setting('memory_limit')") == limit


def test_everything_is_found_in_a_world_in_order(scratch: Scratch, tmp_path: Path) -> None:
    counts, listed = judged(scratch, tmp_path, world(), KEY)
    assert listed == []
    assert counts == KeyCounts(lines=6, lost=0, duplicated=0, wrong=0, planted=4, found=4)
    assert key_days(scratch) == {DAY}


X = order(9)
AMENDED = order(2, amount="66.00")


@dataclass
class Case:
    """A world, and the key that tells what was written into it."""

    world: World
    key: list[Written]

    def add(self, written: Written, *hops: list[bytes]) -> None:
        self.key.append(written)
        for hop in hops:
            hop.append(written.line)


BROKEN: dict[str, tuple[Callable[[Case], object], str, bytes, str]] = {
    "a line never written": (
        lambda c: c.add(Written(X)), "lost", b"|".join(X.split(b"|")[:5]), "log files"),
    "a copy never written": (
        lambda c: c.add(Written(order(2), "duplicate")), "lost", order(2), "log files"),
    "a copy that Flume lost": (
        lambda c: c.add(Written(order(2), "duplicate"), c.world.log),
        "lost", order(2), "topic"),
    "a row taken": (
        lambda c: c.world.cln.pop(1), "lost", order(2), "transactions_cln"),
    "a row doubled": (
        lambda c: c.world.cln.append(c.world.row(order(2), 1)),
        "duplicated", order(2), "transactions_cln"),
    "an event twice": (
        lambda c: c.world.cln.append(c.world.row(AMENDED, 9)),
        "duplicated", order(2), "transactions_cln"),
    "a row with another amount": (
        lambda c: c.world.cln[1].update(line=AMENDED), "wrong", order(2), "transactions_cln"),
    "a good line quarantined": (
        lambda c: c.world.quar.append(c.world.row(order(2), 1, reason="ITEM")),
        "wrong", order(2), "quarantine"),
    "a bad line taken": (
        lambda c: c.world.quar.pop(0), "lost", BAD, "quarantine"),
    "a bad line for another reason": (
        lambda c: c.world.quar[0].update(reason="TIME"), "wrong", BAD, "quarantine"),
    "a bad line for two reasons": (
        lambda c: c.world.quar.append(c.world.row(BAD, 9, reason="TIME")),
        "wrong", BAD, "quarantine"),
    "a future line counted": (
        lambda c: c.world.cln.append(c.world.row(FUTURE, 4)),
        "wrong", FUTURE, "transactions_cln"),
    "a conflict taken": (
        lambda c: c.world.quar.pop(2), "lost", CONFLICT, "quarantine"),
    "a bad line that came twice and is quarantined once": (
        lambda c: c.add(c.key[3], c.world.log, c.world.topic),
        "lost", BAD, "quarantine"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_differs_is_named(name: str, scratch: Scratch, tmp_path: Path) -> None:
    breaking, verdict, line, hop = BROKEN[name]
    case = Case(world(), list(KEY))
    breaking(case)
    counts, listed = judged(scratch, tmp_path, case.world, case.key)
    assert [(d.hop, d.line) for d in listed] == [(hop, line)]
    assert (counts.lost, counts.duplicated, counts.wrong) == tuple(
        int(verdict == each) for each in ("lost", "duplicated", "wrong")
    )
    assert "is in the answer key, but" in listed[0].sentence()


def test_the_second_side_of_a_conflict_first_is_two_wrongs(
    scratch: Scratch, tmp_path: Path
) -> None:
    made = world()
    made.cln[0].update(line=CONFLICT)
    made.quar[2].update(line=order(1))
    counts, listed = judged(scratch, tmp_path, made, KEY)
    assert counts.wrong == 2
    assert {d.line for d in listed} == {order(1), CONFLICT}
    assert counts.found == 2, "the duplicate and the conflict are not"


def test_lines_beyond_the_cut_are_left_out(scratch: Scratch, tmp_path: Path) -> None:
    made = world()
    made.log_tail += [X, order(2)]
    made.topic += [order(8)]
    made.reached = 6
    made.log += [order(8)]
    late = [Written(X), Written(order(8)), Written(order(2), "duplicate")]
    counts, listed = judged(scratch, tmp_path, made, KEY + late)
    assert listed == []
    assert (counts.lines, counts.planted, counts.found) == (7, 5, 5)


def test_what_retention_took_is_not_lost(scratch: Scratch, tmp_path: Path) -> None:
    made = world()
    made.held = 6
    made.log = []
    counts, listed = judged(scratch, tmp_path, made, KEY)
    assert listed == []
    assert counts.found == 4
