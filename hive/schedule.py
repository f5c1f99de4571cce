"""The schedule of the refreshes: APScheduler says when, a child process does each run.

A run that fails, or finds another refresh at work, is due again after a pause, which grows until
one succeeds. What would be due of the same job meanwhile is dropped, since that run does its work;
the other job's runs come in between. A nightly run that was missed while nothing ran is made up
for at the start.
"""

import logging
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from hive.runs import read_runs, schedule_file
from pipeline.document import read_document, replace_document
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.recurrence import Cron, Every, parse
from pipeline.settings import Settings

HEARTBEAT_SECONDS: Final = 10
PAUSES_SECONDS: Final = (5, 10, 20, 40, 80, 160, 300)
"""After a failure; the last one again and again."""
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

log = logging.getLogger("hive.schedule")
Trigger = Any
"""APScheduler brings no types."""


def run_schedule(settings: Settings, places: Places) -> None:
    """Keep to the settings' schedule until SIGTERM."""
    zone = ZoneInfo(read_programme(settings.programme).time_zone)
    # one run at a time; the heartbeat is the scheduler's own work, so that it tells of it
    runs, beats = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    scheduler = BlockingScheduler(
        timezone=UTC,
        executors={"default": runs, "beats": beats},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    # a long run is no news each time that the next one would be due
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    runner = Runner(lambda reason, at: scheduler.modify_job(reason, next_run_time=at))
    for reason, words in (("scheduled", settings.refresh), ("nightly", settings.refresh_nightly)):
        if (trigger := make_trigger(words, zone)) is not None:
            first = first_run(trigger, last_run(places, reason), datetime.now(tz=UTC))
            scheduler.add_job(runner.run, trigger, [reason], id=reason, next_run_time=first)

    def beat() -> None:
        planned = [job.next_run_time for job in scheduler.get_jobs() if job.id != "beat"]
        say(places, what_is_next(planned), runner.fruitless())

    scheduler.add_job(
        beat, IntervalTrigger(seconds=HEARTBEAT_SECONDS), id="beat", executor="beats",
        next_run_time=datetime.now(tz=UTC),
    )  # fmt: skip

    def stop() -> None:
        runner.stop()
        scheduler.shutdown(wait=False)

    # in a thread: the main one may hold a lock of the scheduler's when the signal comes
    signal.signal(signal.SIGTERM, lambda *_signal: threading.Thread(target=stop).start())
    scheduler.start()
    schedule_file(places).unlink(missing_ok=True)  # nothing is due any more


def what_is_next(planned: list[datetime]) -> str | None:
    """Give when the next run begins (ISO, UTC); None where none is planned."""
    due = min(planned, default=None)
    return None if due is None else due.astimezone(UTC).isoformat(timespec="seconds")


def say(places: Places, due: str | None, fruitless: int) -> None:
    """Tell that the schedule works, when the next run is due (ISO, UTC), and how many in a row have
    failed.
    """
    file, document = schedule_file(places), {"next": due, "fruitless": fruitless}
    if read_document(file) != document:
        with suppress(OSError):  # no room: it works on, and says so by the file's time
            replace_document(file, document)
    file.touch()


def make_trigger(words: str, zone: ZoneInfo) -> Trigger | None:
    """Make APScheduler's trigger of a setting's words; None is off."""
    match parse(words):
        case Every(seconds):
            return IntervalTrigger(seconds=seconds, timezone=UTC)
        case Cron() as cron:
            # its own weekdays begin with Monday
            return CronTrigger(
                minute=_listed(cron.minute), hour=_listed(cron.hour), day=_listed(cron.day),
                month=_listed(cron.month), timezone=zone,
                day_of_week=",".join(_WEEKDAYS[number] for number in cron.weekday),
            )  # fmt: skip
        case None:
            return None


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def last_run(places: Places, reason: str) -> datetime | None:
    """Give when the last run of a reason began that succeeded, else the oldest run that is listed;
    None where none is.
    """
    runs = list(read_runs(places))
    oldest = runs[-1].at if runs else None
    at = next((run.at for run in runs if run.reason == reason and run.ok), oldest)
    return None if at is None else datetime.fromisoformat(at)


def first_run(trigger: Trigger, last: datetime | None, now: datetime) -> datetime:
    """Give when the first run after the start of this process is due: now, where one was missed.

    (A setting whose dates never come is refused when it is read.)
    """
    if last is None:
        due: datetime = trigger.get_next_fire_time(None, now)
    else:
        due = trigger.get_next_fire_time(last, last + timedelta(seconds=1))
    return max(now, due)


class Runner:
    """Starts the runs, one after another. again: is told the reason of one that has failed, and
    when it has to run again.
    """

    def __init__(
        self,
        again: Callable[[str, datetime], object],
        command: Callable[[str], list[str]] = lambda reason: [sys.executable, "-m", "hive", reason],
    ) -> None:
        self._again = again
        self._command = command
        self._failures: Counter[str] = Counter()
        """By reason, since its last success."""
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def run(self, reason: str) -> None:
        """Run once; where it fails, see to it that it runs again."""
        code = self._once(reason)
        if code:
            pause = PAUSES_SECONDS[min(self._failures[reason], len(PAUSES_SECONDS) - 1)]
            self._failures[reason] += 1
            log.warning("the %s run ended with %s; again in %s s", reason, code, pause)
            self._again(reason, datetime.now(tz=UTC) + timedelta(seconds=pause))
        elif code == 0 and self._failures.pop(reason, 0):
            log.warning("the %s run has succeeded", reason)

    def fruitless(self) -> int:
        """Give how many runs of one reason have failed since one succeeded, also those that could
        not even begin, and so are on no list.
        """
        return max(self._failures.values(), default=0)

    def stop(self) -> None:
        """Begin nothing more, and end the run at hand: the next refresh mends what it left."""
        self._stopped.set()
        with self._lock:
            if self._child is not None:
                self._child.terminate()

    def _once(self, reason: str) -> int | None:
        """Give the exit code of a run; None where the process ends."""
        with self._lock:
            if self._stopped.is_set():
                return None
            self._child = subprocess.Popen(self._command(reason), stdin=subprocess.DEVNULL)
        code = self._child.wait()
        return None if self._stopped.is_set() else code
