"""A container's main process: one component as its child, asked its real question meanwhile.

The watcher's own judgement (cluster.watch) ends a child that gives no answer; a main process whose
child has ended ends too, and Docker starts the container again.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Final

from cluster.container.care import STAGES, Marks
from cluster.container.signs import say_answered, say_looks
from cluster.jars import jar_folders
from cluster.java import command, environment
from cluster.stack import Stack
from cluster.stages import Question
from cluster.supervision import DEFAULT_STOP_SECONDS, STOP_SECONDS, Process, Supervisor
from cluster.vitals import kill
from cluster.watch import DOUBT_SECONDS, EVERY_SECONDS, JUDGED_AFTER, Watch
from flume.unclosed import Unclosed
from pipeline.document import read_document, replace_document
from pipeline.errors import LoyaltyError
from pipeline.places import Places

SIGN_SECONDS: Final = 5
HUNG_SECONDS: Final = 150
"""Each question has an end of its own, far below."""
LAST_WORDS_SECONDS: Final = 5
"""For the round at hand, when the child has ended."""
_STARTING_SECONDS: Final = 1
_GLANCE_SECONDS: Final = 0.5


class Alone(Supervisor):
    """The one process of a container, as the watcher wants to see it; pid 0: it stands."""

    def __init__(self, places: Places, name: str) -> None:
        super().__init__(places)
        self.name, self.pid = name, 0

    def processes(self) -> dict[str, Process]:
        """Give the one process, if there is one."""
        return {self.name: Process(self.name, "RUNNING", self.pid)} if self.pid else {}


class MainProcess:
    """Starts the component, asks it, lets it stand and ends it."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack, self._name = stack, name
        self._marks = Marks(stack.places, name) if name in STAGES else None
        self._alone = Alone(stack.places, name)
        self._watch = Watch(
            stack.settings, self._alone, given=needs_of(name), short={},
            # HBase's real question is asked through Thrift, which has to be asked first
            only="" if name == "hbase" else name,
        )  # fmt: skip
        self._watch.also(name, self._demand_beginning)
        if name == "flume":
            self._watch.also(name, Unclosed(stack.settings, self._alone).demand)
        self._patient = self._watch.patient(name)
        self._fruitless_file = stack.places.run / f"{name}.fruitless.json"
        self._patient.fruitless = self._told = int(
            (read_document(self._fruitless_file) or {}).get("n", 0)
        )
        self._begins: Question | None = None
        self._stands = False
        """There is no child, because somebody wants it so."""
        self._has_answered = False
        """This child has, once."""
        self._looked = time.monotonic()
        self._ends = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._asking = threading.Thread(target=self._ask, daemon=True)

    def run(self) -> int:
        """Run until told to end (0), or until the child or its questioner has ended (1)."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        self._watch.keep_an_eye_on_room()
        self._asking.start()
        try:
            return self._care()
        finally:
            self._ends.set()
            self._asking.join(LAST_WORDS_SECONDS)

    def _end(self, *_signal: object) -> None:
        self._ends.set()
        self._stack.halt.set()  # nobody waits for Kafka's answer any more

    def _care(self) -> int:
        signed = 0.0
        while not self._ends.wait(_GLANCE_SECONDS):
            # before the look: who wants it to stand looks for the sign after that
            if self._marks is not None and time.monotonic() - signed > SIGN_SECONDS:
                self._marks.lives.touch()
                signed = time.monotonic()
            shall_stand = self._marks is not None and self._marks.shall_stand()
            self._stands = shall_stand and self._child is None
            if self._child is None and not shall_stand:
                try:
                    self._start()
                except LoyaltyError:
                    if self._ends.is_set():
                        break
                    raise
            elif self._child is not None and shall_stand:
                self._stop()
            elif self._child is not None and self._child.poll() is not None:
                sys.stderr.write(f"{self._name} has ended with {self._child.returncode}\n")
                return 1
            if not self._asking.is_alive():  # its traceback is above: nobody would notice silence
                break
            if time.monotonic() - self._looked > HUNG_SECONDS:
                sys.stderr.write(f"{self._name}: a question had no end for {HUNG_SECONDS} s\n")
                break
            if shall_stand and self._marks is not None:
                self._marks.stands.touch()
        self._stop()
        if not self._ends.is_set():
            return 1
        if self._marks is not None:
            self._marks.lives.unlink(missing_ok=True)  # it ends in order, and its child has ended
        return 0

    def _start(self) -> None:
        component, settings = self._stack.components[self._name], self._stack.settings
        if self._marks is not None:
            self._marks.stands.unlink(missing_ok=True)
        self._has_answered = False
        self._begins = self._stack.beginning(self._name)
        self._child = subprocess.Popen(
            command(component, settings, jar_folders()),
            env=os.environ | environment(component, settings),
            cwd=self._stack.places.run, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self._alone.pid = self._child.pid

    def _stop(self) -> None:
        """Let the child end by itself; one that does not is killed, as natively."""
        self._alone.pid = 0
        if self._child is not None:
            self._child.terminate()
            try:
                self._child.wait(STOP_SECONDS.get(self._name, DEFAULT_STOP_SECONDS))
            except subprocess.TimeoutExpired:
                kill(self._child.pid)
                self._child.wait()
        self._child = None

    def _ask(self) -> None:
        pace: float = _STARTING_SECONDS
        while not self._ends.wait(pace):
            self._looked = time.monotonic()
            say_looks()
            found = self._watch.look().get(self._name, {})
            self._keep_count()
            if self._stands or self._name in self._watch.answering():
                self._has_answered |= not self._stands
                say_answered()
                pace = EVERY_SECONDS
            elif self._has_answered:
                pace = DOUBT_SECONDS
                # a long piece of work is no silence yet, by the patience of `status`
                if self._name in self._watch.asked() and not found.get("stuck"):
                    say_answered()
            if reason := found.get("reason"):
                sys.stderr.write(f"{self._name} does not answer: {reason}\n")

    def _keep_count(self) -> None:
        """Remember over the lives of the container how many kills in a row have brought nothing:
        each lets the next child have more time.
        """
        if self._patient.fruitless != self._told:
            self._told = self._patient.fruitless
            replace_document(self._fruitless_file, {"n": self._told})

    def _demand_beginning(self) -> None:
        """Raise until a stage has shown once that this life of it has begun."""
        if self._begins is not None:
            self._begins()
            self._begins = None


def needs_of(name: str) -> set[str]:
    """Give those whose answers a component needs for its own, directly or not.

    (HBase's rows are asked for through Thrift, once that answers; before it, for its regions.)
    """
    found: set[str] = set()
    wanted = [*JUDGED_AFTER[name], *(["thrift"] if name == "hbase" else [])]
    while wanted:
        need = wanted.pop()
        found.add(need)
        wanted += JUDGED_AFTER[need]
    return found
