"""The watcher: asks each component its real question every 10 s, and ends who does not answer.

It runs as an event listener of supervisord (see cluster.restarts), which starts again whatever
ends. A process that lives but gave no answer three times in a row is killed (SIGKILL also ends
one that was stopped). A component is judged only while those that its answer needs do answer, so
what is broken is restarted before what only suffers from it.
"""

import itertools
import json
import math
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil

from cluster.readiness import QUESTIONS
from cluster.restarts import count_ends
from cluster.startup import NOT_READY
from cluster.supervision import Process, Supervisor
from pipeline.places import Places
from pipeline.settings import Settings, read_settings
from pipeline.topic import GROUPS, Offsets, Topic, has_reached
from producer.log import now_ms
from producer.sweep import sweep
from streaming.progress import read_progress

EVERY_SECONDS: Final = 10
PATIENCE: Final = 3
"""Questions in a row without an answer, after which a process is killed."""
LONGER_PATIENCE: Final[Mapping[str, int]] = {"hbase": 5, "flume": 6, "streaming": 6}
"""HBase is asked through Thrift: when that alone hangs, its restart comes first. Flume and the
stream may have a long batch at hand."""
SWEEP_ROUNDS: Final = 60
"""Order log files that nobody needs are looked for every ten minutes."""
GRACE_SECONDS: Final = 60
"""After its start a process is left alone; HBase after a crash takes up to 17 s (measured)."""

JUDGED_AFTER: Final[Mapping[str, tuple[str, ...]]] = {
    "kafka": (),
    "namenode": (),
    "datanode": ("namenode",),
    "hbase": ("namenode", "datanode"),
    "thrift": ("namenode", "datanode"),
    "metastore": ("namenode",),
    "hiveserver2": ("namenode", "datanode", "metastore"),
    "flume": ("kafka", "namenode", "datanode", "hbase"),
    "streaming": ("kafka", "namenode", "datanode"),
    "producer": (),
}


@dataclass
class Patient:
    """What is known of one component: silent for how many questions, and why.

    `killed` is why the watcher ended it last; `behind` where those of its readers stood that had
    more to read.
    """

    silent: int = 0
    reason: str = ""
    killed: str = ""
    answered_at: float = 0
    behind: dict[str, Offsets] = field(default_factory=dict)


def is_stopped(pid: int) -> bool:
    """Tell whether a process is stopped by a signal (state T): it can answer nothing."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


class Watch:
    """One round after another; `health` is what the last one found."""

    def __init__(self, settings: Settings, supervisor: Supervisor) -> None:
        self._settings = settings
        self._places = Places(settings.data)
        self._supervisor = supervisor
        self._patients = {name: Patient() for name in JUDGED_AFTER}
        self._questions: dict[str, Callable[[], None]] = {
            name: (lambda ask=ask: ask(settings)) for name, ask in QUESTIONS.items()
        } | {"flume": self._ask_flume, "streaming": self._ask_streaming}

    def look(self) -> dict[str, dict[str, Any]]:
        """Ask everyone that runs, kill who has been silent for too long, and tell what was found.

        Gives {name: {answered_at (ISO), silent (questions), reason, killed}}.
        """
        processes = self._supervisor.processes()
        running = [name for name in JUDGED_AFTER if name in processes and processes[name].pid]
        answers: dict[str, bool] = {}
        for name in running:
            self._patients[name].reason = ""
            if all(answers.get(need) for need in JUDGED_AFTER[name]):
                answers[name] = self._ask(name, processes[name])
                self._judge(name, processes[name], answered=answers[name])
        return {
            name: {"answered_at": _iso(p.answered_at), "silent": p.silent, "reason": p.reason,
                   "killed": p.killed}
            for name, p in self._patients.items()
            if name in running
        }  # fmt: skip

    def _ask(self, name: str, process: Process) -> bool:
        patient = self._patients[name]
        if is_stopped(process.pid):
            patient.reason = "its process is stopped by a signal"
            return False
        try:
            self._questions.get(name, lambda: None)()
        except NOT_READY as error:
            patient.reason = str(error).splitlines()[0][:300] or type(error).__name__
            return False
        patient.answered_at, patient.reason = time.time(), ""
        return True

    def _judge(self, name: str, process: Process, *, answered: bool) -> None:
        patient = self._patients[name]
        if answered or (_age(process.pid) < GRACE_SECONDS and not is_stopped(process.pid)):
            patient.silent = 0
            return
        patient.silent += 1
        if patient.silent >= self._patience(name):
            patient.silent, patient.killed = 0, patient.reason
            _tell(f"{name} (process {process.pid}) is killed: {patient.reason}")
            os.kill(process.pid, signal.SIGKILL)

    def _patience(self, name: str) -> int:
        """Give how many questions in a row may stay without an answer."""
        triggers = math.ceil(3 * self._settings.trigger_seconds / EVERY_SECONDS)
        return LONGER_PATIENCE.get(name, PATIENCE) + (triggers if name == "streaming" else 0)

    def sweep(self) -> None:
        """Delete the order log files that Flume has read and whose retention is over."""
        settings = self._settings
        for path in sweep(self._places.order_log, self._places.positions,
                          settings.log_retention_days, now_ms()):  # fmt: skip
            _tell(f"{path.name} is deleted: it was read, and its retention is over")

    def _ask_flume(self) -> None:
        """Both sinks and the source move on while there is something for them to do."""
        topic = Topic(self._settings.kafka, self._settings.topic, timeout=3)
        ends = topic.ends()
        state: dict[str, tuple[Offsets, Offsets]] = {
            "the HDFS sink": (topic.committed(GROUPS[0]), ends),
            "the HBase sink": (topic.committed(GROUPS[1]), ends),
            "the source": _source(self._places),
        }
        self.demand_movement("flume", state)

    def _ask_streaming(self) -> None:
        progress = read_progress(self._places)
        ends = Topic(self._settings.kafka, self._settings.topic, timeout=3).ends()
        self.demand_movement(
            "streaming", {"the query": (progress.offsets if progress else {}, ends)}
        )

    def demand_movement(self, name: str, state: Mapping[str, tuple[Offsets, Offsets]]) -> None:
        """Raise when a reader is behind its end and where it was a round ago."""
        before = self._patients[name].behind
        behind = {part: at for part, (at, end) in state.items() if not has_reached(at, end)}
        self._patients[name].behind = behind
        stuck = [part for part, at in behind.items() if before.get(part) == at]
        if stuck:
            raise OSError(f"{' and '.join(stuck)} is behind and does not move")


def _source(places: Places) -> tuple[Offsets, Offsets]:
    """Give how far each order log file was read, and a line's end beyond that it should reach."""
    try:
        read = {row["file"]: row["pos"] for row in json.loads(places.positions.read_bytes())}
    except (FileNotFoundError, ValueError):
        read = {}
    files = {str(path): read.get(str(path), 0) for path in places.order_log.glob("orders*.log")}
    return files, {file: _last_line_end(Path(file), at) for file, at in files.items()}


def _last_line_end(file: Path, at: int) -> int:
    """Give the end of the last whole line after `at`, as far as 1 MiB tells: half a line waits."""
    try:
        with file.open("rb") as log:
            log.seek(at)
            return at + log.read(1 << 20).rfind(b"\n") + 1
    except OSError as error:  # a till's file that nobody else may read is not Flume's fault
        _tell(f"{file} cannot be read ({error.strerror}); its till has to let this user read it")
        return at


def _age(pid: int) -> float:
    try:
        return time.time() - psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0


def _iso(at: float) -> str | None:
    return datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="seconds") if at else None


def _tell(what: str) -> None:
    os.write(2, f"{datetime.now(tz=UTC).isoformat(timespec='seconds')} {what}\n".encode())


def main() -> None:
    """Count ends in the main thread, as supervisord's listener; look in another."""
    settings = read_settings()
    places = Places(settings.data)
    watch = Watch(settings, Supervisor(places))

    pause = threading.Event()  # never set: its wait is the pause between two rounds

    def rounds() -> None:
        for number in itertools.count():
            begun = time.monotonic()
            health = watch.look()
            write_health(places.run / "health.json", health)
            if number % SWEEP_ROUNDS == 0:
                watch.sweep()
            pause.wait(max(0, EVERY_SECONDS - (time.monotonic() - begun)))

    def guarded() -> None:
        try:
            rounds()
        except BaseException:
            # a watcher that cannot look must not live on as a listener that only counts
            traceback.print_exc()
            raise
        finally:
            os._exit(1)

    threading.Thread(target=guarded, daemon=True).start()
    count_ends(places.run / "restarts.json")


def read_reasons(places: Places) -> dict[str, str]:
    """Give why a component did not answer in the watcher's last round, or was killed by it."""
    try:
        health = json.loads((places.run / "health.json").read_bytes())
    except FileNotFoundError:
        return {}
    return {
        name: found["reason"]
        or (found["killed"] and f"was killed by the watcher: {found['killed']}")
        for name, found in health.items()
    }


def write_health(path: Path, health: Mapping[str, Any]) -> None:
    """Replace the file as a whole."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(health), encoding="utf-8")
    fresh.replace(path)


if __name__ == "__main__":
    main()
