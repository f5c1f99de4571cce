"""`drill hostile`: lines that no till should write, a good order right after each, and the count.

What must become of a line is said by drill.hostile_lines' table and by drill.judge, never by the
product. The stack may hold other orders already, but nobody else writes meanwhile.
"""

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from cluster.restarts import read_restarts
from drill.count import judged, verify
from drill.hostile_count import Expected, Found, compare
from drill.hostile_lines import INSTANT_MS, LONGEST, fuzzed, hand_made
from drill.judge import arrives
from drill.plan import Plan, Told
from drill.stack import OwnStack
from drill.verdict import Count, Outcome, Row, sentence
from drill.waiting import insist
from pipeline.errors import LoyaltyError

FUZZED: Final = 200_000
PART: Final = 20_000
"""Lines that are written at once; then the topic has to have them."""
LONG_LINES: Final = 1_000
LONG_BYTES: Final = 66_000
"""More than is kept of a line; a batch of Flume's source has no more than these and a good order
after each.
"""
OTHERS: Final = 100
"""What another till writes while the longest line is only half written."""
STALL_SECONDS: Final = 120
Lives = dict[str, tuple[int, int]]
"""By component: its pid, and how often it ended unasked."""


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Attack with 200,000 fuzzed lines, `times` times as many."""
    return attack(stack, plan.seed, FUZZED * (plan.times or 1), told)


def attack(stack: OwnStack, seed: int, count: int, told: Told) -> Outcome:
    """Write the whole table, half of a line of 5 MB, long ones, and `count` fuzzed lines."""
    run, now_ms = f"H{secrets.token_hex(4)}", time.time_ns() // 1_000_000
    before, lives = Found.ask(stack), _lives(stack)
    with _till(stack, f"{run}-a") as one, _till(stack, f"{run}-b") as other:
        attacker = _Attacker(stack, run, now_ms, one)
        rows = [
            attacker.write("the table", ((h.line, h.reason) for h in hand_made(run, now_ms))),
            attacker.write_slowly(other),
            attacker.write("long lines", _long_lines(run)),
        ]
        lines = ((line, None) for line in fuzzed(run, seed, count))
        while part := list(islice(lines, PART)):
            rows.append(attacker.write("fuzzed", part))
            told(sentence(rows[-1]))
    return conclude(stack, rows, lives, before, attacker.expected)


def conclude(
    stack: OwnStack, rows: list[Row], lives: Lives, before: Found, expected: Expected
) -> Outcome:
    """Count, then look who has died: somebody may while verify and Hive read the lines."""
    found = judged(lambda: _verify(stack)) + judged(lambda: compare(stack, before, expected))
    now = _lives(stack)
    complaints = [
        f"{name} was process {pid} with {ends} restarts and is {now.get(name)}"
        for name, (pid, ends) in lives.items()
        if now.get(name) != (pid, ends)
    ]
    return Outcome(rows, found, complaints)


class _Attacker:
    """Writes bad and good lines in turn, and knows what must come of them."""

    def __init__(self, stack: OwnStack, run: str, now_ms: int, file: int) -> None:
        self._topic, self._file, self._run = stack.topic, file, run
        self._pid = stack.supervisor.processes()["flume"].pid
        self._goal = sum(self._topic.ends().values())
        self._orders = 0
        self.expected = Expected(f"{run}-G", now_ms)

    def write(self, what: str, lines: Iterable[tuple[bytes, str | None]]) -> Row:
        """Write a good order right after each line; wait until the topic has all of them."""
        begun, goal = time.monotonic(), self._goal
        for line, reason in lines:
            self._put(self._file, line)
            self.expected.take(arrives(line), reason)
            self._put_good(self._file)
        return self._row(what, begun, self._goal - goal)

    def write_slowly(self, other: int) -> Row:
        """Write half of a line of 5 MB, and let another till write before the rest comes."""
        os.write(self._file, b"x" * (LONGEST // 2))
        begun = time.monotonic()
        for _ in range(OTHERS):
            self._put_good(other)
        row = self._row("another till, at half a line of 5 MB", begun, OTHERS)
        self._put(self._file, b"x" * (LONGEST // 2))
        self.expected.take(arrives(b"x" * LONGEST), "FIELDS")
        self._put_good(self._file)
        return row

    def _put_good(self, file: int) -> None:
        self._orders += 1
        at = INSTANT_MS + self._orders
        line = f"8|{at}|{self._run}-G{self._orders}|1|SALE|4|tea|1|1.00|".encode()
        self._put(file, line)
        self.expected.take(line, "")

    def _put(self, file: int, line: bytes) -> None:
        if os.write(file, line + b"\n") <= len(line):
            raise LoyaltyError("The drill's till could not write a whole line; make room.")
        self._goal += 1

    def _row(self, what: str, begun: float, lines: int) -> Row:
        insist(self._demand_all, STALL_SECONDS, f"{what}: {{error}} after {STALL_SECONDS} s.", 0.1)
        return Row("flume", what, 0, self._pid, time.monotonic() - begun, lines)

    def _demand_all(self) -> None:
        if (lacks := self._goal - sum(self._topic.ends().values())) > 0:
            raise LoyaltyError(f"the topic lacks {lacks:,} lines")


def _long_lines(run: str) -> Iterator[tuple[bytes, str]]:
    for number in range(LONG_LINES):
        start = f"7|{INSTANT_MS}|{run}-L{number}|1|SALE|3|".encode()
        yield start.ljust(LONG_BYTES, b"x"), "FIELDS"


@contextmanager
def _till(stack: OwnStack, name: str) -> Iterator[int]:
    path = stack.places.order_log / f"orders-{name}.log"
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o640)
    try:
        yield file
    finally:
        os.close(file)


def _lives(stack: OwnStack) -> Lives:
    ends = read_restarts(stack.places)
    return {n: (p.pid, ends.get(n, 0)) for n, p in sorted(stack.supervisor.processes().items())}


def _verify(stack: OwnStack) -> Count:
    """Every offset is a clean row, a duplicate or a quarantined row, and all stores agree."""
    _, says = verify(stack)
    return Count(differences=says)
