"""Hostile lines: a table of those made by hand with what must become of each, and fuzzed ones.

In a template `@` stands for the instant and `#` for the order id, which are each line's own.
"""

import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LONG: Final = 300_000
LONGEST: Final = 5_000_000
INSTANT_MS: Final = 1_554_120_000_000
"""1 April 2019, noon UTC: the lines are a millisecond apart from then on."""
_YEAR_MS: Final = 365 * 86_400_000
_GOOD: Final = "7|@|#|1|SALE|3|latte|2|140.00|"
_FIELDS: Final = ("customer", "instant", "order", "number", "event", "store", "item", "pieces",
                  "amount", "ref")  # fmt: skip

_FAULTS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    # field: the reason, and values that have it
    "customer": ("CUSTOMER", ("07", "0", "7a", "-7", " 7", "7 ", "\u0667", "\uff17", "1" * 11, "=7",
                              "${jndi:ldap://127.0.0.1/a}", "\ufeff7", "NULL", "7\x00")),
    "instant": ("TIME", ("1554120000", "1554120000000000", "0946684799999", "946684799999", "", "0",
                         "-1554120000000", "2019-04-01T12:00:00Z", "1554120000.000", "NaN",
                         "\uff11554120000000", "155412000000x")),
    "order": ("ORDER_ID", ("", "A" * 41, "A_1", "../x", "../../etc/passwd", "A 1", "\u00c41",
                           "A\x001",
                           "%{host}", "${jndi:ldap://127.0.0.1/a}", "'; drop table x; --", "=cmd()",
                           "A\u200b1", "\u0661\u0662", "A.1", "A/1", "A\t1")),
    "number": ("LINE_NO", ("", "0", "01", "1000", "-1", "1.0", "1a", "\u0661", "+1")),
    "event": ("EVENT", ("", "VOID", "sale", "SALE ", " SALE", "S\u0410LE", "REFUNDED", "\u202eELAS",
                        "SALE\x00", "1")),
    "store": ("STORE", ("", "0", "03", "1000000", "x", "3a", "-3", "\u0663", "3.0")),
    "item": ("ITEM", ("", "x" * 61, "\U0001f600" * 61, "a\x00b", "a\x1bb", "a\tb", "a\rb", "a\x7fb",
                      "a\u0080b", "a\u0085b", "a\u009fb", "\ufffd", "a\x0bb", "x" * 1000)),
    "pieces": ("QUANTITY", ("", "0", "01", "-2", "2.0", "10000000", "1e3", "\u0662", "two")),
    "amount": ("AMOUNT", ("", "140,00", "1,400.00", "-140.00", "140.000", "140.0", "140", ".50",
                          "NaN",
                          "Infinity", "1e2", "+140.00", "$140.00", "0140.00", "00.00",
                          "10000000.00",
                          "140.00 ", "\uff11\uff14\uff10.00", "=1+1", "140.0\u0660")),
    "ref": ("REF", ("A-1", "\r\r", " ", "A_1", "x" * 41)),
}  # fmt: skip
_GOOD_ITEMS: Final = (
    "x", "x" * 60, "\U0001f600" * 60, "e\u0301", "a\u202eb", "a\u200bb", "a\u200fb", "\ufeff",
    "\xa0",
    "a\u2028b", "\U0010ffff", "=cmd()", "+1", "@SUM(1)", "-2+3", "'; drop table orders; --",
    "${jndi:ldap://127.0.0.1:1/a}", "${env:HOME}", "%{host}", "%d{yyyy}", "../../etc/passwd", "\\",
    '"quoted"', "'", "<script>", "NULL", "\\N", "{{ 7 * 7 }}", "$(id)", "`id`", " ",
)  # fmt: skip
_BAD_BYTES: Final = (
    b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"a\xe2", b"\x80",
    b"\xf0\x9f\x98", b"\xf8\x88\x80\x80\x80", b"\xe0\x80\xaf", b"caf\xe9",
)  # fmt: skip
_OTHERS: Final[tuple[tuple[str, str], ...]] = (
    ("7|@|#|1|SALE|3|latte|2|140.00", "FIELDS"),
    ("7|@|#|1|SALE|3|latte|2|140.00||", "FIELDS"),
    ("", "FIELDS"), (" ", "FIELDS"), ("   \t ", "FIELDS"), ("\r", "FIELDS"), ("\x00", "FIELDS"),
    ("||||||||", "FIELDS"), ("||||||||||", "FIELDS"), ("|||||||||", "TIME"),
    ("\ufeff" + _GOOD, "CUSTOMER"), (_GOOD + "\r", ""), (_GOOD + "\r\r", "REF"),
    ("|@|#|1|SALE|3|latte|2|140.00|", ""), ("7|@|#|999|SALE|999999|latte|9999999|9999999.99|", ""),
    ("7|@|#|1|SALE|3|latte|2|0.00|", ""), ("7|@|#|1|REFUND|3|latte|2|140.00|A-1", ""),
    ("7|@|#|1|REFUND|3|latte|2|140.00|", "REF"), ("7|@|#|1|REDEEM|3|cup|50|0.00|", ""),
    ("7|@|#|1|REDEEM|3|cup|50|1.00|", "AMOUNT"), ("7|@|#|1|REDEEM|3|cup|50|0.00|A-1", "REF"),
    ("7|4102444800000|#|1|SALE|3|latte|2|140.00|", "FUTURE"),
    ("7|9999999999999|#|1|SALE|3|latte|2|140.00|", "FUTURE"),
    ("x" * LONG, "FIELDS"), ("7|@|#|1|SALE|3|" + "x" * LONG + "|2|140.00|", "FIELDS"),
    # Flume's own class drops one of these, wherever its buffer of 8,192 bytes ends
    (_GOOD + "\r" * 20_000 + "A", "REF"),
    (_GOOD + "A" * LONG, "REF"), (_GOOD + "A" * LONGEST, "REF"), ("7" * LONGEST, "FIELDS"),
    ("{\"customer\": 7, \"amount\": 140.00}", "FIELDS"),
    ("7;@;#;1;SALE;3;latte;2;140.00;", "FIELDS"),
)  # fmt: skip
_REFUND: Final = "7|@|#|1|REFUND|3|caff\u00e8|2|140.00|A-17"


@dataclass(frozen=True, slots=True)
class Hostile:
    """A line as a till writes it, without its line feed; reason: empty where it is a good one."""

    line: bytes
    reason: str


def hand_made(run: str, now_ms: int) -> list[Hostile]:
    """Give the table; run begins the order ids. now_ms: what FUTURE is counted from."""
    made = list(_templates(now_ms))
    return [
        Hostile(_fill(text, INSTANT_MS + at, f"{run}-H{at}"), reason)
        for at, (text, reason) in enumerate(made)
    ]


def _templates(now_ms: int) -> Iterator[tuple[bytes, str]]:
    for field, (reason, values) in _FAULTS.items():
        for value in values:
            yield _with(field, value.encode()), reason
    for item in _GOOD_ITEMS:
        yield _with("item", item.encode()), ""
    for bad in _BAD_BYTES:
        yield _with("item", bad), "ENCODING"
        yield _with("order", bad), "ENCODING"
    for text, reason in _OTHERS:
        yield text.encode(), reason
    yield _with("instant", b"%d" % (now_ms + _YEAR_MS)), "FUTURE"
    yield _GOOD.encode("utf-16"), "ENCODING"
    # a line cut at every byte: whole again only within the ref, its last field
    for template in (_GOOD, _REFUND):
        yield from _cuts(template.encode())


def _cuts(template: bytes) -> Iterator[tuple[bytes, str]]:
    """The order id is filled in before, so that it is cut too."""
    whole = _fill(template, INSTANT_MS, "CUT-1234")
    for end in range(len(whole)):
        part = whole[:end]
        pipes = part.count(b"|")
        reason = "FIELDS" if pipes < 9 else "REF" if part.endswith(b"|") else ""
        # a good one is an event of its own
        yield part.replace(b"CUT-1234", b"#").replace(b"%d" % INSTANT_MS, b"@"), reason


def _with(field: str, value: bytes) -> bytes:
    parts = _GOOD.encode().split(b"|")
    parts[_FIELDS.index(field)] = value
    return b"|".join(parts)


def _fill(template: bytes, instant: int, order: str) -> bytes:
    return template.replace(b"@", b"%d" % instant, 1).replace(b"#", order.encode(), 1)


_TOKENS: Final = (
    tuple(value.encode() for _, values in _FAULTS.values() for value in values)
    + tuple(item.encode() for item in _GOOD_ITEMS)
    + _BAD_BYTES
)


def fuzzed(run: str, seed: int, count: int) -> Iterator[bytes]:
    """Give lines of which nobody knows beforehand what they are, the same for the same seed."""
    chance = random.Random(seed)
    # instants of its own for each run: a mutation may take the run out of the order id
    first = INSTANT_MS + 1_000_000 + zlib.crc32(run.encode()) % 1_000_000_000
    for number in range(count):
        line = bytearray(_plain(chance, run, first + number, number))
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
            chance.choice(_MUTATIONS)(chance, line)
        yield bytes(line).replace(b"\n", b"\x0b")


def _plain(chance: random.Random, run: str, at: int, number: int) -> bytes:
    event = chance.choice(("SALE", "SALE", "REFUND", "REDEEM"))
    amount = (
        "0.00"
        if event == "REDEEM"
        else f"{chance.randrange(10_000_000)}.{chance.randrange(100):02}"
    )
    ref = f"{run}-{chance.randrange(1000)}" if event == "REFUND" else ""
    customer = chance.choice(("", str(chance.randrange(1, 10_000))))
    return (
        f"{customer}|{at}|{run}-F{number}|{chance.randrange(1, 1000)}|{event}"
        f"|{chance.randrange(1, 1_000_000)}|{chance.choice(('latte', 'caffè ☕', 'чай'))}"
        f"|{chance.randrange(1, 100)}|{amount}|{ref}"
    ).encode()


def _change(chance: random.Random, line: bytearray) -> None:
    if line:
        line[chance.randrange(len(line))] = chance.randrange(256)


def _insert(chance: random.Random, line: bytearray) -> None:
    line.insert(chance.randrange(len(line) + 1), chance.randrange(256))


def _delete(chance: random.Random, line: bytearray) -> None:
    if line:
        del line[chance.randrange(len(line))]


def _cut(chance: random.Random, line: bytearray) -> None:
    del line[chance.randrange(len(line) + 1) :]


def _repeat(chance: random.Random, line: bytearray) -> None:
    begin = chance.randrange(len(line) + 1)
    part = line[begin : begin + chance.randrange(1, 20)]
    line[begin:begin] = part * chance.randrange(1, 4)


def _replace(chance: random.Random, line: bytearray) -> None:
    parts = bytes(line).split(b"|")
    parts[chance.randrange(len(parts))] = chance.choice(_TOKENS)
    line[:] = b"|".join(parts)


def _swap(chance: random.Random, line: bytearray) -> None:
    parts = bytes(line).split(b"|")
    one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]
    line[:] = b"|".join(parts)


_MUTATIONS: Final = (_change, _change, _insert, _delete, _replace, _replace, _swap, _repeat, _cut)
