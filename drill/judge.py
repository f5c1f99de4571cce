"""What becomes of a line, decided without the product's code: the table's and the fuzz's referee.

Written from section 2 of the loyalty programme, character by character, without one regular
expression: what is wrong in those of the product is not wrong here too.
"""

from unicodedata import category

_DIGITS = frozenset("0123456789")
_PLAIN = _DIGITS | frozenset("-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_CUT_BYTES = 65_536
_AHEAD_MS = 600_000


def arrives(written: bytes) -> bytes:
    """Give what is in the topic of a line that was written (without its line feed)."""
    return written.removesuffix(b"\r")[:_CUT_BYTES]


def judge(line: bytes, now_ms: int) -> str:
    """Give the reason for which a line of the topic is quarantined; empty for a good one.

    now_ms: the broker's clock. CONFLICT needs the other lines and is not found here.
    """
    if line.count(b"|") != 9:
        return "FIELDS"
    try:
        fields = line.decode("utf-8", errors="strict").split("|")
    except UnicodeDecodeError:
        return "ENCODING"
    customer, instant, order, number, event, store, item, pieces, amount, ref = fields
    verdicts = (
        ("CUSTOMER", customer == "" or _is_number(customer, 10)),
        ("TIME", len(instant) == 13 and _is_number(instant, 13)),
        ("ORDER_ID", order != "" and _is_plain(order)),
        ("LINE_NO", _is_number(number, 3)),
        ("EVENT", event in {"SALE", "REFUND", "REDEEM"}),
        ("STORE", _is_number(store, 6)),
        ("ITEM", _is_item(item)),
        ("QUANTITY", _is_number(pieces, 7)),
        ("AMOUNT", _is_amount(amount) and (event != "REDEEM" or amount == "0.00")),
        ("REF", _is_plain(ref) and (ref != "") == (event == "REFUND")),
    )
    for reason, holds in verdicts:
        if not holds:
            return reason
    return "FUTURE" if int(instant) > now_ms + _AHEAD_MS else ""


def _is_number(text: str, most: int) -> bool:
    return 1 <= len(text) <= most and text[0] != "0" and _DIGITS.issuperset(text)


def _is_plain(text: str) -> bool:
    return len(text) <= 40 and _PLAIN.issuperset(text)


def _is_item(text: str) -> bool:
    return 1 <= len(text) <= 60 and not any(c == "\ufffd" or category(c) == "Cc" for c in text)


def _is_amount(text: str) -> bool:
    whole, point, cents = text[:-3], text[-3:-2], text[-2:]
    return (
        point == "." and len(cents) == 2 and _DIGITS.issuperset(cents)
        and (whole == "0" or _is_number(whole, 7))
    )  # fmt: skip
