"""Quarantined lines into the order log once more, after a fix of the rules.

They go down the same path as any line. What is clean by then counts, once: identities are compared.
What is not comes back into quarantine, under its new offset; the old row stays under the old one.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from pipeline.order import FUTURE_MS, MAX_LINE_BYTES, Fault, parse


@dataclass(slots=True)
class Plan:
    """What a replay will do. rows: of quarantine; lines: different ones, which are written.

    still_bad: those of them that break a rule of today, as far as the line alone tells.
    left_out: different lines that no order log can hold (cut at 65,536 bytes, or with a line feed).
    """

    rows: int = 0
    lines: int = 0
    still_bad: int = 0
    left_out: int = 0


def plan(raws: Iterable[bytes], now_ms: int) -> Plan:
    """Count what a replay of these lines would do; now_ms: epoch milliseconds."""
    made = Plan()

    def counted() -> Iterator[bytes]:
        for raw in raws:
            made.rows += 1
            yield raw

    for raw in different(counted()):
        if not _is_writable(raw):
            made.left_out += 1
            continue
        made.lines += 1
        made.still_bad += _is_bad(raw, now_ms)
    return made


def write_again(raws: Iterable[bytes], write: Callable[[bytes], object]) -> int:
    """Write each different line once, with its end; gives their number."""
    lines = 0
    for raw in different(raws):
        if _is_writable(raw):
            # one CR before the line feed belongs to the line end: the line's own one stays
            write(raw + (b"\r\n" if raw.endswith(b"\r") else b"\n"))
            lines += 1
    return lines


def different(raws: Iterable[bytes]) -> Iterator[bytes]:
    """Give each line once, remembered by 16 bytes of it."""
    seen: set[bytes] = set()
    for raw in raws:
        digest = blake2b(raw, digest_size=16).digest()
        if digest not in seen:
            seen.add(digest)
            yield raw


def _is_writable(raw: bytes) -> bool:
    return len(raw) < MAX_LINE_BYTES and b"\n" not in raw


def _is_bad(raw: bytes, now_ms: int) -> bool:
    order = parse(raw)
    return isinstance(order, Fault) or order.ordered_at - now_ms > FUTURE_MS
