"""The list of refreshes: what a run leaves, whatever ended it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hive.keeping import keep
from hive.refresh import RESTATED_DAYS, NoCustomers, Work, refresh
from hive.runs import Run, append_run, describe_refreshes, read_runs, runs_file
from pipeline.cli import app
from pipeline.commands.refresh import title
from pipeline.places import Places
from pipeline.settings import Settings


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def run(number: int = 0, **values: object) -> Run:
    made = Run(at=f"2026-11-29T15:{number:02}:00+00:00", reason="scheduled", seconds=1.5)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def test_the_newest_comes_first(places: Places) -> None:
    assert list(read_runs(places)) == []
    for number in range(3):
        append_run(places, run(number, dates=["2026-11-29"], rows=7))
    assert [one.at[14:16] for one in read_runs(places)] == ["02", "01", "00"]
    assert list(read_runs(places)) == list(read_runs(places, tail=True))
    assert next(read_runs(places)).outcome == "made"


def test_a_torn_line_is_left_out_and_the_next_one_is_whole(places: Places) -> None:
    append_run(places, run(1))
    append_run(places, run(2))
    file = runs_file(places)
    file.write_bytes(file.read_bytes()[:-20])
    assert [one.at[14:16] for one in read_runs(places)] == ["01"]
    append_run(places, run(3))
    assert [one.at[14:16] for one in read_runs(places)] == ["03", "01"]


def test_the_file_stays_bounded(places: Places) -> None:
    for number in range(25):
        append_run(places, run(number), most=10)
        assert len(runs_file(places).read_bytes().splitlines()) <= 10
    assert next(read_runs(places)).at[14:16] == "24"


def test_before_the_first_run_nothing_is_known(places: Places) -> None:
    assert {name for name, value in describe_refreshes(places).items() if value is not None} == {
        "fruitless"
    }


def test_who_stops_a_run_has_not_seen_it_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_settings: Settings, _work: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hive.refresh._run", stop)
    with pytest.raises(KeyboardInterrupt):
        refresh(Settings(data=tmp_path), Places(tmp_path))
    (run,) = read_runs(Places(tmp_path))
    assert (run.outcome, run.ok) == ("stopped", False)


def test_a_refusal_for_lack_of_customers_is_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, places = Settings(data=tmp_path), Places(tmp_path)
    monkeypatch.setattr("hive.refresh.highest", lambda _hdfs, _folder: 0)
    with pytest.raises(NoCustomers, match=r"load them with `\./loyalty customers load FILE`"):
        refresh(settings, places)
    keep(settings, places, "scheduled")
    assert list(read_runs(places)) == []


def test_a_snapshot_is_titled_by_its_date_and_its_place() -> None:
    assert title(date(2019, 4, 19), 2, 3) == "snapshot of 2019-04-19, date 2 of 3"
    assert title(date(2019, 4, 18), 1, 1) == "snapshot of 2019-04-18"


def test_the_newest_snapshot_and_how_old_it_is(places: Places) -> None:
    now = datetime.now(tz=UTC)

    def at(minutes: int) -> str:
        return (now - timedelta(minutes=minutes)).isoformat(timespec="seconds")

    append_run(places, run(at=at(30), dates=["2026-11-29"], newest="2026-11-29"))
    append_run(places, run(at=at(20), newest="2026-11-29"))  # found untouched
    append_run(places, run(at=at(10), reason="by hand", dates=["2019-04-05"], newest="2019-04-05"))
    append_run(places, run(at=at(5), ok=False, error="Hive is away."))
    found = describe_refreshes(places)
    assert found.pop("snapshot_age_seconds") == pytest.approx(1200, abs=5)
    assert found == {
        "last": at(5), "outcome": "failed", "error": "Hive is away.", "next": None,
        "fruitless": 0,
        "newest_snapshot": "2026-11-29",
    }  # fmt: skip


@pytest.mark.parametrize(("reason", "days"), [("scheduled", RESTATED_DAYS), ("nightly", None)])
def test_only_the_nightly_run_looks_at_all_dates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str, days: int | None
) -> None:
    looked: list[Work] = []
    monkeypatch.setattr("hive.refresh._run", lambda _settings, work: looked.append(work))
    keep(Settings(data=tmp_path), Places(tmp_path), reason)
    (work,) = looked
    assert work.since == (date.min if days is None else work.today - timedelta(days=days))


def test_the_list_has_rows_seconds_and_what_failed(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_run(places, run(1, dates=["2026-11-27", "2026-11-28", "2026-11-29"], rows=1234))
    append_run(places, run(2, reason="nightly", ok=False, error="Hive is away.", seconds=0.25))
    monkeypatch.setenv("LOYALTY_DATA", str(places.data))
    done = CliRunner().invoke(app, ["refreshes"])
    _, failed, made = done.stdout.splitlines()
    assert failed.split() == ["2026-11-29T15:02:00+00:00", "nightly", "failed", "0", "0.25"]
    assert made.split()[-6:] == ["2026-11-29", "and", "1", "more", "1234", "1.5"]
    assert "2026-11-29T15:02:00+00:00 failed: Hive is away." in done.stderr
