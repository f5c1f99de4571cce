"""Dates on the command line: one form only."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from pipeline.dates import parse_date, parse_span
from pipeline.errors import UsageError
from pipeline.verify.hbase_rows import instant_filter
from pipeline.verify.scope import Scope


def test_a_date() -> None:
    assert parse_date("--from", "2026-11-07") == date(2026, 11, 7)


@pytest.mark.parametrize(
    "text", ["", "2026-11-31", "20261107", "2026-W45-6", "2026-11-7", "07-11-2026", "today",
             "2026-11-07 ", "٢٠٢٦-11-07"]
)  # fmt: skip
def test_what_is_none_is_named_with_its_option(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--since '.*' is no date; give it as 2026-11-07\.$"):
        parse_date("--since", text)


def test_a_span_may_be_open_on_either_side() -> None:
    day = date(2026, 11, 7)
    assert parse_span(None, None) == (None, None)
    assert parse_span("2026-11-07", None) == (day, None)
    assert parse_span("2026-11-07", "2026-11-07") == (day, day)
    with pytest.raises(UsageError, match="--from 2026-11-08 is after --to 2026-11-07"):
        parse_span("2026-11-08", "2026-11-07")


def test_a_span_ends_where_no_orders_can_be() -> None:
    first, last = parse_span("0001-01-01", "9999-12-31")
    assert (first, last) == (date(1999, 1, 1), date(2286, 1, 1))
    instants = Scope(first, last).instants(ZoneInfo("Pacific/Auckland"))
    assert instants is not None
    assert "(0|1|2|3|4|5|6|7|8|9)" in instant_filter(*instants), "each instant of 13 digits"
    assert parse_span(None, "0001-01-01") == (None, date(1999, 1, 1))
