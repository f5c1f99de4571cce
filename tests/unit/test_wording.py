"""Sentences name the commands that work where they are read."""

import pytest

from pipeline.wording import as_typed_here

SAID = (
    "`./loyalty logs flume` says more; `./loyalty down --purge`, `./loyalty down`, `./loyalty up`,"
    " `./loyalty verify --wait`, or `./loyalty --compose drill`"
)


def test_natively_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOYALTY_CONTAINERS", raising=False)
    assert as_typed_here(SAID) == SAID


def test_in_a_container_they_are_dockers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_CONTAINERS", "1")
    assert as_typed_here(SAID) == (
        "`docker compose logs flume` says more; `docker compose down -v`, `docker compose down`,"
        " `docker compose up -d --wait`, `./loyalty --compose verify --wait`,"
        " or `./loyalty --compose drill`"
    )
    assert as_typed_here("/data/incoming/179-8/1/x y.csv is empty; use another LOYALTY_DATA") == (
        "x y.csv is empty; use another COMPOSE_PROJECT_NAME"
    )
