"""How what a Spark job says, and its error, reach the user: at once; of its own kind, and saying
how things stand."""

from collections.abc import Iterator

import pytest

from batch.process import error_of, result_of
from batch.publishing import publish
from pipeline.errors import LoyaltyError, Refused, Unavailable

SO_THAT = "Each partition is as it was or repaired; call it again."


@pytest.mark.parametrize("kind", [Unavailable, LoyaltyError])
def test_an_error_amid_the_work_says_how_things_stand(kind: type[LoyaltyError]) -> None:
    error = error_of({"error": "HDFS is away.", "kind": kind.__name__}, SO_THAT)
    assert type(error) is kind
    assert str(error) == f"HDFS is away. {SO_THAT}"


@pytest.mark.parametrize("folders", [[], ["/t/odr_dt=2019-04-01/odr_hr=0/g=2", "/t/b/g=3"]])
def test_what_was_published_before_a_server_went_away_is_named(folders: list[str]) -> None:
    def published() -> Iterator[str]:
        yield from folders
        raise Unavailable("HDFS is away.")

    with pytest.raises(Unavailable) as raised:
        publish(published())
    assert str(raised.value) == f"HDFS is away. Repaired so far: {', '.join(folders) or 'none'}."


def test_who_is_refused_has_changed_nothing() -> None:
    error = error_of({"error": "The file is empty.", "kind": "Refused"}, SO_THAT)
    assert type(error) is Refused
    assert str(error) == "The file is empty."


def test_what_a_job_says_is_told_before_its_result() -> None:
    told: list[str] = []

    def output() -> Iterator[str]:
        yield '{"says": "waiting for raw"}\n'
        assert told == ["waiting for raw"]
        yield '{"ok": true}'

    assert result_of(output(), told.append) == {"ok": True}
    assert result_of(['{"says": "waiting for raw"}\n'], told.append) is None
    assert result_of(['{"ok": tr'], told.append) is None
    assert result_of([], told.append) is None
