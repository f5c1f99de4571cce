"""The demo's customer file: the original's format, with its hard cases."""

import csv
import re
from datetime import date

import pytest

from producer.pool import demo_customers, demo_members

Row = list[str]


@pytest.fixture(scope="module")
def text() -> str:
    return demo_customers(400)


@pytest.fixture(scope="module")
def rows(text: str) -> list[Row]:
    return list(csv.reader(text.splitlines()))


def test_every_row_is_one_that_a_load_takes(rows: list[Row]) -> None:
    for customer, store, name, email, since, card, born, gender, year in rows:
        assert re.fullmatch(r"[1-9][0-9]{0,9}", customer)
        assert re.fullmatch(r"[1-9][0-9]{0,5}", store)
        assert name.strip()
        assert re.fullmatch(r"[^@ ]+@example\.(com|org|net)", email)
        assert date.fromisoformat(since)
        assert re.fullmatch(r"\d{3}-\d{3}-\d{4}", card)
        assert not born or date.fromisoformat(born).year == int(year)
        assert gender in {"M", "F", "N"}
        assert re.fullmatch(r"(19|20)\d\d", year)


def test_ids_and_cards_are_unique_and_ids_have_gaps() -> None:
    members = demo_members()
    ids = [member.customer_id for member in members]
    assert len(set(ids)) == len(ids) == 2000
    assert ids == sorted(ids)
    assert ids[-1] > 8000


def test_cards_are_unique(rows: list[Row]) -> None:
    assert len({row[5] for row in rows}) == len(rows)


def test_the_hard_cases_are_there(rows: list[Row], text: str) -> None:
    names = [row[2] for row in rows]
    assert any(row[6].endswith("-02-29") for row in rows)
    assert any(row[6] == "" for row in rows)
    assert any("  " in name for name in names)
    assert any("'" in name for name in names)
    assert any("," in name for name in names)
    assert any(name != name.strip() for name in names)
    assert any(not name.isascii() for name in names)
    assert len({row[3] for row in rows}) < len(rows)
    assert all(f',"{row[5]}",' in text for row in rows)


def test_the_same_seed_gives_the_same_file(text: str) -> None:
    assert demo_customers(400) == text
    assert demo_customers(400, seed=2) != text


def test_members_are_those_of_the_file(rows: list[Row]) -> None:
    assert [(int(row[0]), int(row[1])) for row in rows] == list(demo_members(400))
