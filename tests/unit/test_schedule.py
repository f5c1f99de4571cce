"""When a refresh is due, from the settings' words; and how runs follow each other."""

import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from drill.stack import describe
from hive.runs import Run, append_run, read_runs
from hive.schedule import Runner, first_run, make_trigger, say, what_is_next
from pipeline.errors import UsageError
from pipeline.lock import only_one
from pipeline.places import Places
from pipeline.recurrence import Cron, Every, parse
from pipeline.settings import ROOT, Settings, read_settings
from tests.waiting import wait_until

NEW_YORK = ZoneInfo("America/New_York")
REASONS = ("scheduled", "nightly")
NOW = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "seconds"), [("5m", 300), ("90s", 90), ("1h", 3600), (" 5M ", 300), ("168h", 604_800)]
)
def test_an_interval(words: str, seconds: int) -> None:
    assert parse(words) == Every(seconds)


def test_off() -> None:
    assert parse("off") is None
    assert make_trigger("off", NEW_YORK) is None


@pytest.mark.parametrize(
    "words",
    ["", "5", "m", "0s", "4s", "169h", "1d", "-5m", "5 m", "* * * *", "* * * * * *", "60 * * * *",
     "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *", "*/0 * * * *",
     "a * * * *", "1,,2 * * * *", "* * * * monday", "1.5 * * * *", "on",
     "0 0 30 2 *", "* * 31 apr,jun *"],
)  # fmt: skip
def test_what_is_no_schedule_is_named(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="has"):
        parse(words)
    if words:
        monkeypatch.setenv("LOYALTY_REFRESH", words)
        with pytest.raises(UsageError, match=r"LOYALTY_REFRESH has"):
            read_settings()


def test_a_cron_line() -> None:
    found = parse("*/20 8-10,22 1 jan-mar mon-fri")
    assert found == Cron((0, 20, 40), (8, 9, 10, 22), (1,), (1, 2, 3), (1, 2, 3, 4, 5))
    assert parse("5/20 * * * *") == parse("5,25,45 * * * *")


@pytest.mark.parametrize(
    ("words", "due"),
    [
        ("15 3 * * *", datetime(2026, 11, 30, 8, 15, tzinfo=UTC)),
        ("15 3 * * 0", datetime(2026, 12, 6, 8, 15, tzinfo=UTC)),  # a Sunday, as is 7
        ("15 3 * * 7", datetime(2026, 12, 6, 8, 15, tzinfo=UTC)),
        ("15 3 * * 1", datetime(2026, 11, 30, 8, 15, tzinfo=UTC)),
        ("15 3 1 7 *", datetime(2027, 7, 1, 7, 15, tzinfo=UTC)),  # daylight saving time
    ],
)
def test_cron_is_in_programme_time_and_its_week_begins_on_sunday(words: str, due: datetime) -> None:
    trigger = make_trigger(words, NEW_YORK)
    assert trigger is not None
    assert trigger.get_next_fire_time(None, NOW) == due


def test_by_default_every_five_minutes_and_each_night() -> None:
    every, nightly = (
        make_trigger(Settings.model_fields[name].default, NEW_YORK)
        for name in ("refresh", "refresh_nightly")
    )
    assert every is not None
    assert every.interval == timedelta(minutes=5)
    due = first_run(nightly, None, NOW)
    assert due is not None
    assert due < NOW + timedelta(days=1)


def test_the_first_run_makes_up_for_a_missed_one() -> None:
    nightly = make_trigger("15 3 * * *", NEW_YORK)
    tomorrow = datetime(2026, 11, 30, 8, 15, tzinfo=UTC)
    assert first_run(nightly, None, NOW) == tomorrow
    assert first_run(nightly, NOW - timedelta(hours=6), NOW) == tomorrow
    assert first_run(nightly, NOW - timedelta(hours=30), NOW) == NOW
    every = make_trigger("5m", NEW_YORK)
    assert first_run(every, NOW - timedelta(minutes=9), NOW) == NOW
    due = first_run(every, NOW - timedelta(minutes=2), NOW)
    assert due is not None
    assert NOW < due <= NOW + timedelta(minutes=3)


def test_a_run_that_fails_is_due_again_after_growing_pauses() -> None:
    due: list[tuple[str, float]] = []
    codes = iter("1110100")
    runner = Runner(
        lambda reason, at: due.append((reason, (at - datetime.now(tz=UTC)).total_seconds())),
        lambda _reason: [sys.executable, "-c", f"exit({next(codes)})"],
    )
    fruitless = []
    for reason in ("scheduled", "nightly", *["scheduled"] * 5):
        runner.run(reason)
        fruitless.append(runner.fruitless())
    assert fruitless == [1, 1, 2, 1, 1, 1, 1], "the nightly one has not succeeded yet"
    assert [reason for reason, _ in due] == ["scheduled", "nightly", "scheduled", "scheduled"]
    assert [round(pause) for _, pause in due] == [5, 5, 10, 5]


def test_the_next_run_is_told() -> None:
    later, tomorrow = NOW + timedelta(minutes=5), (NOW + timedelta(days=1)).astimezone(NEW_YORK)
    assert what_is_next([tomorrow, later]) == "2026-11-29T15:05:00+00:00"
    assert what_is_next([tomorrow]) == "2026-11-30T15:00:00+00:00"
    assert what_is_next([]) is None


def test_the_end_ends_the_run_at_hand(tmp_path: Path) -> None:
    file = tmp_path / "begun"
    wait = f"import signal; open({str(file)!r}, 'w'); signal.pause()"
    runner = Runner(lambda _reason, _at: None, lambda _reason: [sys.executable, "-c", wait])
    thread = threading.Thread(target=runner.run, args=["scheduled"])
    thread.start()
    wait_until("it has begun", file.exists)
    runner.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
    runner.run("scheduled")  # nothing begins any more


def test_the_schedule_says_what_is_due(tmp_path: Path) -> None:
    from hive.runs import describe_refreshes, next_run, silence

    places = Places(tmp_path)
    assert next_run(places) is None
    for _ in range(2):
        say(places, "2026-11-29T15:05:00+00:00", 2)
        assert silence(places) < 5
        assert next_run(places) == "2026-11-29T15:05:00+00:00"
        assert describe_refreshes(places)["fruitless"] == 2


def test_both_have_to_be_off_for_none(tmp_path: Path) -> None:
    assert Settings(data=tmp_path).is_scheduled
    assert Settings(data=tmp_path, refresh="off").is_scheduled
    assert not Settings(data=tmp_path, refresh="off", refresh_nightly="off").is_scheduled


def test_a_missed_nightly_run_is_made_up_for_and_holds_up_no_other(tmp_path: Path) -> None:
    """Nothing of the stack runs, so that all fail, and come again in turns."""
    stack = describe(tmp_path, refresh="5s", refresh_nightly="15 3 * * *")
    night = datetime.now(tz=UTC) - timedelta(hours=30)
    append_run(stack.places, Run(night.isoformat(timespec="seconds"), "nightly"))

    def failed() -> Counter[str]:
        return Counter(run.reason for run in read_runs(stack.places) if run.outcome == "failed")

    with subprocess.Popen(
        [sys.executable, "-m", "hive"], env=stack.environment, cwd=ROOT, stderr=subprocess.PIPE
    ) as process:
        try:
            wait_until("both run again", lambda: min(failed()[r] for r in REASONS) > 1, seconds=90)
        finally:
            process.terminate()
            process.communicate(timeout=20)


def test_a_run_finds_another_one_at_work(tmp_path: Path) -> None:
    """What the schedule takes for a failure, and so tries again."""
    stack = describe(tmp_path)
    with only_one(stack.places.run / "refresh.lock", "A refresh"):
        done = subprocess.run(
            [sys.executable, "-m", "hive", "scheduled"], env=stack.environment, cwd=ROOT,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert "A refresh" in done.stderr
    assert "is running" in done.stderr
    assert list(read_runs(stack.places)) == []
