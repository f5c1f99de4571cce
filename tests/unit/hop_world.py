"""A small world of lines: what each hop has, in order until a test breaks it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from pipeline.verify import findings, presence
from pipeline.verify.cut import Cut
from pipeline.verify.report import Difference
from pipeline.verify.scope import Scope, full_condition
from pipeline.verify.scratch import HOPS, Scratch

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = date(2026, 11, 24)
TOPIC = "T" * 22
T = int(NOW.timestamp() * 1000)


def order(number: int, customer: str = "7", ms: int = T, amount: str = "65.00") -> bytes:
    return f"{customer}|{ms}|A-{number}|1|SALE|3|espresso|1|{amount}|".encode()


FUTURE = order(8, ms=T + 3_600_000)
BAD, CONFLICT = b"7|abc|broken", order(1, amount="99.00")


@dataclass
class World:
    """What each hop has; offsets are the places in `topic` (one partition)."""

    log: list[bytes] = field(default_factory=list)
    log_tail: list[bytes] = field(default_factory=list)
    topic: list[bytes] = field(default_factory=list)
    topic_ts: int = T
    raw: list[bytes] = field(default_factory=list)
    arrival: date = DAY
    hbase: list[bytes] = field(default_factory=list)
    cln: list[dict[str, Any]] = field(default_factory=list)
    quar: list[dict[str, Any]] = field(default_factory=list)
    held: int = 0
    reached: int | None = None
    full_from: date | None = None

    def row(self, line: bytes, off: int, **more: Any) -> dict[str, Any]:
        return {"line": line, "tid": TOPIC, "p": 0, "off": off, "derived": True, "file": "f1",
                "day": DAY, "due": DAY, "hour": 7, "block": 6} | more  # fmt: skip

    def judge(self, scratch: Scratch) -> list[Difference]:
        self._load(scratch)
        cut = Cut(NOW, (), TOPIC, {0: self.held}, {0: len(self.topic)},
                  {0: len(self.topic) if self.reached is None else self.reached}, None)  # fmt: skip
        presence.declare(scratch, cut, partition_hours=6)
        tids = {row["tid"] for row in self.cln + self.quar}
        presence.find_out(
            scratch, NOW - timedelta(days=7), gone=self.held > 0 or bool(tids - {TOPIC}),
            full_from=self.full_from, condition=full_condition(Scope(), self.full_from),
        )  # fmt: skip
        listed, found = findings.differences(scratch, 10)
        assert found == len(listed)
        return listed + findings.gaps(scratch)

    def _load(self, scratch: Scratch) -> None:
        scratch.load("log", table("log", [{"line": x} for x in self.log]), tail=False)
        scratch.load("log", table("log", [{"line": x} for x in self.log_tail]), tail=True)
        messages = [{"line": x, "p": 0, "off": off, "ts": self.topic_ts}
                    for off, x in enumerate(self.topic) if off >= self.held]  # fmt: skip
        scratch.load("topic", table("topic", messages))
        raw = [{"line": x, "arrival": self.arrival} for x in self.raw]
        scratch.load("raw", table("raw", raw))
        scratch.load("hbase", table("hbase", [{"line": x} for x in self.hbase]))
        came = {"came": self.topic_ts * 1000}
        scratch.load("cln", table("cln", [came | row for row in self.cln]))
        scratch.load("quar", table("quar", [came | row for row in self.quar]))


TYPES = {"boolean": pa.bool_(), "integer": pa.int32(), "bigint": pa.int64(),
         "date": pa.date32(), "varchar": pa.string()}  # fmt: skip


def table(hop: str, rows: list[dict[str, Any]]) -> list[pa.Table]:
    columns = {n: kind for n, kind in HOPS[hop].items() if n != "tail"}
    schema = pa.schema([("line", pa.binary()), *((n, TYPES[k]) for n, k in columns.items())])
    return [pa.Table.from_pylist(rows, schema=schema)]


def world() -> World:
    """Give a world in order: two orders, a replay, a bad, a FUTURE and a conflicting line."""
    lines = [order(1), order(2), order(1), BAD, FUTURE, CONFLICT]
    made = World(log=list(lines), topic=list(lines), raw=lines + lines[:2],
                 hbase=[CONFLICT, order(2), FUTURE])  # fmt: skip
    made.cln = [made.row(order(1), 0), made.row(order(2), 1)]
    made.quar = [made.row(BAD, 3, reason="FIELDS"), made.row(FUTURE, 4, reason="FUTURE"),
                 made.row(CONFLICT, 5, reason="CONFLICT")]  # fmt: skip
    return made
