"""The watcher: asks each component its real question every 10 s, and ends who does not answer.

It runs as an event listener of supervisord (see cluster.restarts), which starts again whatever
ends. A process that lives but gives no answer is killed (SIGKILL also ends one that was stopped):
within half a minute once it has answered since its start, later while it may still be starting.
A component is judged only while those that its answer needs do answer, so what is broken is
restarted before what only suffers from it. Where kills bring no answer, they come ever later.
"""

import os
import threading
import time
import traceback
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, Final

from cluster.asking import HasEnded, reason_of
from cluster.component import read_components
from cluster.disk import Shortage
from cluster.findings import BUSY_LOAD, read_findings
from cluster.movement import Reader, State, behind, flume_state, stream_state, stuck
from cluster.patient import PATIENCE_SECONDS, Patient, stretch
from cluster.readiness import QUESTIONS, ask_hbase, ask_thrift
from cluster.regionserver import NotOpen, ask_regionserver
from cluster.restarts import count_ends
from cluster.sampling import Sampler
from cluster.startup import NOT_READY
from cluster.supervision import Process, Supervisor
from cluster.telling import tell
from cluster.vitals import STOPPED, age, is_stopped, kill, load
from pipeline.places import Places
from pipeline.settings import Settings, read_settings
from producer.heartbeat import demand_heartbeat

EVERY_SECONDS: Final = 10
DOUBT_SECONDS: Final = 5
"""The pace while somebody does not answer."""
LONGER_PATIENCE_SECONDS: Final[Mapping[str, int]] = {"flume": 50, "streaming": 50}
"""Flume and the stream may have a long batch at hand."""

JUDGED_AFTER: Final[Mapping[str, tuple[str, ...]]] = {
    "kafka": (),
    "namenode": (),
    "datanode": ("namenode",),
    "thrift": (),
    "hbase": ("datanode",),
    "metastore": ("namenode",),
    "hiveserver2": ("datanode", "metastore"),
    "flume": ("kafka", "hbase"),
    "streaming": ("kafka", "datanode"),
    "refresh": (),
    "producer": (),
}
"""In the order of the questions: HBase is asked through Thrift, which comes before it.

What it needs directly: who is not judged has not answered either, so the rest follows."""


class Watch:
    """One round after another; `look` gives what the last one found."""

    def __init__(
        self,
        settings: Settings,
        supervisor: Supervisor,
        given: Iterable[str] | None = None,
        short: Mapping[str, float] | None = None,
        *,
        only: str = "",
    ) -> None:
        """given: who is only asked; by default whoever has an address. short: the folders that lack
        room, by since when; by default as the watcher before has found.
        only: who is cared for; while that one answers, nobody else is asked.
        """
        self._only, self._settings, self._places = only, settings, Places(settings.data)
        self.supervisor = supervisor
        names = given if given is not None else [
            name for name, one in read_components().items() if one.address(settings)
        ]  # fmt: skip
        self._given = {name: Process(name, "GIVEN", 0) for name in names}
        """Servers that are not ours: asked, because others are judged after them, never killed."""
        self._patients = {name: Patient() for name in JUDGED_AFTER}
        self._answers: dict[str, bool] = {}
        self.readers: dict[str, Reader] = {}
        """Where those stand that this round has asked."""
        self.killed: dict[str, str] = {}
        """Who was killed, for whoever hears of its end (see count_ends); why, where its own
        findings do not say."""
        before = read_findings(self._places)  # of the watcher before
        short = before.short if short is None else short
        self._shortage = Shortage(self._places, short, settings.given)
        self._questions: dict[str, Callable[[Process], bool | None]] = {
            name: (lambda _, ask=ask: ask(settings)) for name, ask in QUESTIONS.items()
        } | {
            "thrift": lambda _: ask_thrift(settings),
            "hbase": self._ask_hbase,
            "flume": lambda _: self.demand_movement("flume", flume_state(settings, tell)),
            "streaming": lambda _: self.demand_movement("streaming", stream_state(settings)),
            "producer": lambda _: demand_heartbeat(self._places),
        }
        if "hbase" in settings.given:
            self._questions["hbase"] = lambda _: ask_hbase(settings)
        if "hive" in settings.given:
            self._questions["metastore"] = lambda _: None
        for name, found in before.components.items():
            patient = self._patients[name]
            patient.kills, patient.killed = found["kills"], found["killed"]
            patient.killed_at = found["killed_at"]

    @property
    def short(self) -> dict[str, float]:
        """The folders that are short of room, as the last round has found, by since when."""
        return dict(self._shortage.short)  # an eye is kept on it meanwhile

    def keep_an_eye_on_room(self) -> None:
        """From now on, see also a disk that is full for less than the pause between two looks."""
        self._shortage.keep_an_eye()

    def look(self) -> dict[str, dict[str, Any]]:
        """Ask everyone that runs or is given, kill of the former who has been silent for too long,
        and tell what was found.

        Gives {name: {answered_at (ISO), silent (questions), reason, stuck, kills, killed,
        killed_at (ISO)}} of those that were asked or killed.
        """
        processes = self.supervisor.processes()
        running = {
            name: process
            for name, process in processes.items()
            # who was asked to stop may take its time
            if name in JUDGED_AFTER and process.pid and process.state != "STOPPING"
        }
        asked = running | self._given
        self._answers, self.readers = {}, {}
        waiting, ended = self._shortage.look()
        for name in ended & running.keys():
            self._patients[name].reason = "its disk was full: what it was writing is in doubt"
            self._kill(name, running)
        alone = self._only in asked and self._only not in waiting | ended
        if not (alone and self._answers_at_once(asked[self._only])):
            self._judge(asked, running, waiting | ended)
        now = time.monotonic()
        return {
            name: patient.document(now, self._patience(name))
            for name, patient in self._patients.items()
            if name in asked or patient.kills
        }

    def _answers_at_once(self, process: Process) -> bool:
        """Ask one before those that its answer needs, and take down nothing but an answer."""
        if process.pid and is_stopped(process.pid):
            return False
        try:
            proof = self._questions[process.name](process)
        except NOT_READY:
            return False
        self._patients[process.name].answer(process.pid, proof=proof is not False)
        self._answers[process.name] = True
        return True

    def _judge(
        self, asked: Mapping[str, Process], running: Mapping[str, Process], excused: Container[str]
    ) -> None:
        """Ask everyone after those that its answer needs; kill who has been silent for too long."""
        for name, needs in JUDGED_AFTER.items():
            patient = self._patients[name]
            # who waits for room is not helped by a kill, nor is who needs it
            if (
                name in asked
                and name not in excused
                and all(self._answers.get(need) for need in needs)
            ):
                self._answers[name] = self._ask(name, asked[name])
                if name in running and patient.is_given_up(time.monotonic(), self._patience(name)):
                    self._kill(name, running)
            else:
                patient.silent = patient.ended = 0
                patient.reason = ""

    def _ask(self, name: str, process: Process) -> bool:
        patient, now = self._patients[name], time.monotonic()
        if process.pid and is_stopped(process.pid):
            patient.miss(process.pid, STOPPED, now, age=age(process.pid), certain=True)
            return False
        try:
            proof = self._questions[name](process)
        except NOT_READY as error:
            patient.miss(process.pid, reason_of(error), now, age=age(process.pid),
                         certain=isinstance(error, HasEnded))  # fmt: skip
            return False
        patient.answer(process.pid, proof=proof is not False)
        return True

    def _kill(self, name: str, running: Mapping[str, Process]) -> None:
        """Kill a process, and Thrift with HBase.

        (Thrift starts within HBase's own start, and what is left of its old connections must not
        be taken for a silent HBase.)
        """
        patient = self._patients[name]
        patient.kill()
        for victim in {"hbase": ("hbase", "thrift")}.get(name, (name,)):
            if victim not in running:
                continue
            pid = running[victim].pid
            tell(f"{victim} (process {pid}) is killed: {patient.killed}")
            self.killed[victim] = "" if victim == name else f"was killed by the watcher with {name}"
            kill(pid)

    def _patience(self, name: str) -> float:
        """Give how many seconds a component that has answered before may be silent."""
        triggers = 3 * self._settings.trigger_seconds if name == "streaming" else 0
        seconds = LONGER_PATIENCE_SECONDS.get(name, PATIENCE_SECONDS) + triggers
        return seconds * stretch(load(), BUSY_LOAD)

    def also(self, name: str, demand: Callable[[], None]) -> None:
        """Let a component answer only where that does not raise either."""
        question = self._questions.get(name)

        def both(process: Process) -> bool | None:
            demand()
            return question(process) if question is not None else None

        self._questions[name] = both

    def patient(self, name: str) -> Patient:
        """Give what is known of a component."""
        return self._patients[name]

    def asked(self) -> set[str]:
        """Give who was asked in the last round: those whose needs have answered."""
        return set(self._answers)

    def answering(self) -> set[str]:
        """Give who has answered in the last round."""
        return {name for name, answers in self._answers.items() if answers}

    def is_in_doubt(self) -> bool:
        """Tell whether somebody did not answer in the last round."""
        return not all(self._answers.values())

    def _ask_hbase(self, process: Process) -> bool:
        """The region server is open, and a row is written and read back where Thrift answers.

        False: only the first is known, which is no proof that the start is over.
        """
        patient = self._patients["hbase"]
        try:
            ask_regionserver(self._settings)
        except (NotOpen, HasEnded):
            patient.heard = process.pid
            raise
        except ConnectionRefusedError as error:
            if patient.heard == process.pid:  # its port was open before
                raise HasEnded(
                    "HBase's region server has closed its port, its process lives on"
                ) from error
            raise
        patient.heard = process.pid
        if not self._answers.get("thrift"):
            return False
        ask_hbase(self._settings)
        return True

    def demand_movement(self, name: str, state: State) -> None:
        """Raise when a reader is behind its end and where it was a round ago."""
        self.readers |= state
        standing = stuck(self._patients[name].behind, state)
        self._patients[name].behind = behind(state)
        if standing:
            verbs = "is behind and does" if len(standing) == 1 else "are behind and do"
            raise OSError(f"{' and '.join(standing)} {verbs} not move")


def main() -> None:
    """Count ends in the main thread, as supervisord's listener; look in another."""
    from cluster.rounds import keep_watch

    settings = read_settings()
    places = Places(settings.data)
    watch = Watch(settings, Supervisor(places))

    def guarded() -> None:
        try:
            keep_watch(settings, watch, Sampler(settings))
        except BaseException:
            # a watcher that cannot look must not live on as a listener that only counts
            traceback.print_exc()
            raise
        finally:
            os._exit(1)

    threading.Thread(target=guarded, daemon=True).start()
    count_ends(places, watch.killed)


if __name__ == "__main__":
    main()
