"""The sample queries: their headers, their parameters, and what is refused."""

from datetime import date

import pytest
from typer.testing import CliRunner

from hive.sample import read_sample, sample_names
from pipeline.cli import app
from pipeline.errors import UsageError

TODAY = date(2026, 11, 7)


def test_there_are_eight_with_a_short_purpose_each() -> None:
    purposes = {read_sample(name).purpose for name in sample_names()}
    assert len(purposes) == len(sample_names()) == 8
    assert all(len(purpose) <= 75 for purpose in purposes)


def test_their_list_is_no_csv() -> None:
    done = CliRunner().invoke(app, ["sql", "--samples", "--csv"], prog_name="./loyalty")
    assert done.exit_code == 2
    assert "leave --csv out" in done.stderr


@pytest.mark.parametrize("name", sample_names())
def test_each_can_be_filled_with_its_defaults(name: str) -> None:
    sample = read_sample(name)
    assert sample.parameters
    statement = sample.statement({}, TODAY)
    assert "{" not in statement
    assert "DATE '2026-11-07'" in statement


def test_a_given_value_replaces_the_default() -> None:
    statement = read_sample("sales_by_day").statement({"days": "007", "until": "2019-04-05"}, TODAY)
    assert "BETWEEN DATE_SUB(DATE '2019-04-05', 7 - 1) AND DATE '2019-04-05'" in statement
    assert "2026" not in statement


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"day": "3"}, "no 'day'; it has days, until. Did you mean 'days'\\?"),
        ({"xyz": "3"}, "no 'xyz'; it has days, until\\.$"),
        ({"days": "three"}, "--set days takes a whole number, not 'three'"),
        ({"days": "-3"}, "whole number"),
        ({"days": "3; DROP TABLE loyalty"}, "whole number"),
        ({"until": "yesterday"}, "--set until 'yesterday' is no date"),
        ({"until": "2019-04-05' OR '1'='1"}, "is no date"),
    ],
)
def test_a_wrong_parameter_is_a_sentence(given: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_sample("sales_by_day").statement(given, TODAY)


def test_a_misspelt_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'best_customers'"):
        read_sample("best_customer")
    with pytest.raises(UsageError, match="there is best_customers, busy_hours"):
        read_sample("../ddl/loyalty")
