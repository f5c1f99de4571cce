"""Order lines made to fail, field by field and byte by byte."""

import random

GOOD = "7|1554120000000|A-1|1|SALE|3|latte|2|140.00|"

NASTY: dict[str, list[str]] = {
    "customer_id": ["", "7", "07", "0", "9999999999", "10000000000", "7a", "٧", "７", " 7", "-7"],
    "ordered_at": ["1554120000000", "1554120000", "15541200000000", "0554120000000", "NaN", ""],
    "order_id": ["A-1", "", "a" * 40, "a" * 41, "A_1", "Ä1", "A 1", "../x", "A-1\r"],
    "line_no": ["1", "999", "1000", "0", "01", "", "1.0", "+1"],
    "event": ["SALE", "REFUND", "REDEEM", "sale", "SALE ", "", "VOID", "SALE\n"],
    "store_id": ["3", "999999", "1000000", "0", "03", "", "x"],
    "item": [
        "latte", "", "x" * 60, "x" * 61, "😀" * 60, "😀" * 61, "é", "e\u0301", "a\x00b", "a\x1fb",
        "a\x7fb", "a\x80b", "a\x85b", "a\x9fb", "\xa0", "a\u2028b", "\ufffd", "\ufeff", "\u200b",
        "\u202e", "a\tb", "a\rb", "a\nb", "=1+1", "${jndi:ldap://x}", "%{x}", "'; --", "\U0010ffff",
    ],
    "quantity": ["1", "9999999", "10000000", "0", "01", "-1", "", "1e3"],
    "amount": ["0.00", "0.50", "9999999.99", "10000000.00", "07.50", "1,50", "1.5", "1.500",
               "-1.00", ".50", "1", "NaN", "1.00\n", ""],
    "ref": ["", "A-1", "a" * 40, "a" * 41, "\r", "\n", "A_1", " "],
}  # fmt: skip
BYTES = [
    b"", b" ", b"|", b"|||||||||", b"||||||||||", b"\xff", b"\xef\xbb\xbf" + GOOD.encode(), b"\x00",
    GOOD.encode() + b"\r", GOOD.encode() + b"\n", GOOD.encode() + b"\r\n", b"x" * 300_000,
    GOOD.encode().replace(b"latte", b"\xe2|"), GOOD.encode("utf-16"), GOOD.encode() + b"|",
    *(GOOD.encode().replace(b"latte", bad) for bad in (
        b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"a\xe2", b"\x80",
        b"\xf0\x9f\x98", b"\xed\xb0\x80", b"\xc3\xa9", b"\xf8\x88\x80\x80\x80", b"\xe0\x80\xaf",
    )),
    *(GOOD.encode().replace(b"A-1", bad) for bad in (b"\xff", b"\xe2|\x82", b"A\x00")),
    *(GOOD.encode()[:cut] for cut in range(len(GOOD))),
]  # fmt: skip


def nasty_lines(seed: int, count: int) -> list[bytes]:
    """Give hand-made lines and `count` lines of which most have one or two fields made to fail."""
    chance = random.Random(seed)
    lines = list(BYTES)
    for name, values in NASTY.items():
        for value in values:
            lines.append(_line(chance, {name: value}))
            lines.append(_line(chance, {name: value, "event": "REFUND", "ref": "A-1"}))
            lines.append(_line(chance, {name: value, "event": "REDEEM", "amount": "0.00"}))
    while len(lines) < count:
        names = chance.sample(list(NASTY), chance.choice((0, 1, 1, 2, 3, 10)))
        line = bytearray(_line(chance, {name: chance.choice(NASTY[name]) for name in names}))
        if chance.random() < 0.2:
            line[chance.randrange(len(line))] = chance.randrange(256)
        lines.append(bytes(line))
    return lines


def _line(chance: random.Random, changes: dict[str, str]) -> bytes:
    event = changes.get("event", chance.choice(("SALE", "REFUND", "REDEEM")))
    values = dict(zip(NASTY, GOOD.split("|"), strict=True)) | {"event": event}
    values["amount"] = "0.00" if event == "REDEEM" else "140.00"
    values["ref"] = "A-1" if event == "REFUND" else ""
    # across both days of a change to and from daylight saving time
    start = chance.choice((1552176000000, 1572739200000, 1554120000000))
    values["ordered_at"] = str(start + chance.randrange(90_000_000))
    return "|".join((values | changes).values()).encode()
