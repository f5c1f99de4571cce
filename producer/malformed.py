"""Lines that are no order line: for each reason of the programme's section 2 some ways to be so."""

from collections.abc import Mapping
from typing import Final

FAR_AHEAD: Final = 4_102_444_800_000
"""The year 2100, epoch milliseconds: ahead of every clock, and the same in each run."""

_CUSTOMER, _TIME, _ORDER_ID, _LINE_NO, _EVENT, _STORE, _ITEM, _QUANTITY, _AMOUNT, _REF = range(10)

# What replaces which fields of a good SALE line; {} is what stood there, None leaves the field out.
# U+DCnn is the byte nn, which is no UTF-8.
_WAYS: Final[Mapping[str, tuple[Mapping[int, str | None], ...]]] = {
    "FIELDS": ({_REF: None}, {_REF: "|"}, {_AMOUNT: None, _REF: None}),
    "ENCODING": (
        {_ITEM: "caff\udce8"}, {_ITEM: "\udcc0\udcaf"}, {_ITEM: "\udced\udca0\udc80"},
        {_CUSTOMER: "\udcff{}"},
    ),
    "CUSTOMER": (
        {_CUSTOMER: "0{}7"}, {_CUSTOMER: "C{}"}, {_CUSTOMER: "12345678901"}, {_CUSTOMER: " {}"},
        {_CUSTOMER: "٧"},
    ),
    "TIME": ({_TIME: "1795521600"}, {_TIME: ""}, {_TIME: "0{}"}, {_TIME: "2026-11-24 08:00:00"}),
    "ORDER_ID": ({_ORDER_ID: "{}_"}, {_ORDER_ID: ""}, {_ORDER_ID: "{}" + "x" * 40}),
    "LINE_NO": ({_LINE_NO: "0"}, {_LINE_NO: "01"}, {_LINE_NO: "1000"}),
    "EVENT": ({_EVENT: "sale"}, {_EVENT: "VOID"}, {_EVENT: ""}),
    "STORE": ({_STORE: "0"}, {_STORE: "1234567"}, {_STORE: "S{}"}),
    "ITEM": (
        {_ITEM: ""}, {_ITEM: "x" * 61}, {_ITEM: "{}\t"}, {_ITEM: "{}\x85"}, {_ITEM: "\ufffd"},
    ),
    "QUANTITY": ({_QUANTITY: "0"}, {_QUANTITY: "1.5"}, {_QUANTITY: "-1"}, {_QUANTITY: "10000000"}),
    "AMOUNT": (
        {_AMOUNT: "65"}, {_AMOUNT: "65,00"}, {_AMOUNT: "-65.00"}, {_AMOUNT: "NaN"},
        {_AMOUNT: "10000000.00"}, {_EVENT: "REDEEM", _AMOUNT: "65.00"},
    ),
    "REF": ({_REF: "A-1"}, {_EVENT: "REFUND"}, {_EVENT: "REFUND", _REF: "A_1"}),
    "FUTURE": ({_TIME: str(FAR_AHEAD)},),
}  # fmt: skip

REASONS: Final = tuple(_WAYS)
"""In the order of the programme; CONFLICT is none of them, for it needs another line."""


def ways(reason: str) -> int:
    """Tell how many ways there are to be malformed for a reason."""
    return len(_WAYS[reason])


def malformed(line: bytes, reason: str, way: int) -> bytes:
    """Break a good SALE line, with or without its end, so that `reason` is what is wrong with it.

    way, from 0, is taken modulo `ways`. The order id stays where it is not what is wrong.
    """
    end = line[len(line.rstrip(b"\n")) :]
    fields: list[str | None] = [*line.decode().rstrip("\n").split("|")]
    for place, value in _WAYS[reason][way % ways(reason)].items():
        fields[place] = value if value is None else value.replace("{}", fields[place] or "")
    text = "|".join(field for field in fields if field is not None)
    return text.encode("utf-8", "surrogateescape") + end
