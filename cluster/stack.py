"""The whole stack of one data folder: what each component needs, asks and makes at its start."""

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cluster import stages, stamp
from cluster.checks import Finding, check_machine, check_ports
from cluster.component import Component, read_components
from cluster.configuration import render
from cluster.container.care import care_of
from cluster.disk import settle_shortage
from cluster.findings import read_findings
from cluster.formats import formats, run_format
from cluster.given import wait_for_given
from cluster.java import command, environment
from cluster.movement import EXPIRED, expired_unread, expiry_sentence
from cluster.readiness import QUESTIONS, ask_tez
from cluster.stages import Question
from cluster.startup import Answer, Step, wait_for_answer
from cluster.storage import check_hbase_root, make_folders
from cluster.supervision import Rotation, Supervisor, write_configuration
from hbase.table import make_tables as make_hbase_tables
from hive.session import open_session
from hive.tables import make_tables as make_hive_tables
from pipeline.errors import LoyaltyError, Refused
from pipeline.places import Places
from pipeline.programme import Programme
from pipeline.settings import Settings
from pipeline.topic import GROUPS, Offsets, Topic, has_reached
from pipeline.webhdfs import Hdfs
from streaming.progress import read_progress


@dataclass(frozen=True)
class Stack:
    """Settings and programme of one stack, and what is made of them."""

    settings: Settings
    programme: Programme

    @cached_property
    def places(self) -> Places:
        """The folders of its data folder."""
        return Places(self.settings.data)

    @cached_property
    def components(self) -> dict[str, Component]:
        """Every component, in the order of the data's path."""
        return read_components()

    @cached_property
    def own(self) -> dict[str, Component]:
        """Those that `up` starts: without the servers that are given."""
        return {n: c for n, c in self.components.items() if not c.address(self.settings)}

    @cached_property
    def supervisor(self) -> Supervisor:
        """Who cares for its processes."""
        return care_of(self.settings)

    @cached_property
    def topic(self) -> Topic:
        """The topic of the order lines."""
        return Topic(self.settings.kafka, self.settings.topic)

    @cached_property
    def halt(self) -> threading.Event:
        """Set when a step of the start has failed: nobody waits for answers any more."""
        return threading.Event()

    def down(self) -> list[Component]:
        """List the components of our own without a process."""
        alive = {p.name for p in self.supervisor.processes().values() if p.pid}
        return [c for c in self.own.values() if c.name not in alive]

    def findings(self) -> list[Finding]:
        """Look at the machine, and at the ports of what is not running."""
        ports = check_ports(self.down(), self.settings)
        return ports if self.supervisor.is_running() else [*check_machine(self.settings), *ports]

    def prepare(self, jars: dict[str, Path]) -> None:
        """Write configuration, and start supervisord unless it runs."""
        written = self.places.run / "settings.json"
        values = self.settings.environment()
        if self.supervisor.is_running():
            self._check_same(json.loads(written.read_text(encoding="utf-8")), values)
            return
        shutil.rmtree(self.places.temporary, ignore_errors=True)  # what the killed have left
        places = self.places
        for folder in (places.order_log, places.temporary, places.logs, places.run,
                       places.producer, places.positions.parent):  # fmt: skip
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        render(self.settings, self.places, self.programme.time_zone, jars)
        programs = {
            name: (c, command(c, self.settings, jars), environment(c, self.settings))
            for name, c in self.own.items()
        }
        rotation = Rotation(self.settings.server_log_mib, self.settings.server_log_files)
        write_configuration(self.places, programs, self.settings.environment(), rotation)
        settle_shortage(self.places, read_findings(self.places).short)
        for left in ("restarts.json", "health.json"):  # of the supervisord before
            (self.places.run / left).unlink(missing_ok=True)
        written.write_text(json.dumps(values), encoding="utf-8")
        self.supervisor.start_daemon()

    @staticmethod
    def _check_same(running: dict[str, str], wanted: dict[str, str]) -> None:
        """Refuse other settings than those that the running processes were started with."""
        if other := sorted(name for name in wanted if running.get(name) != wanted[name]):
            raise Refused(
                f"The stack runs with another {', '.join(other)}; "
                "`./loyalty down` first, then `./loyalty up` takes the new settings."
            )

    def start_steps(self, found: stamp.Stamp, jars: dict[str, Path]) -> list[Step]:
        """Give the whole start but for the demo: formats, servers, what they hold, the stages.

        The needs of others for a given server are met: `up` has asked it before.
        """
        steps = [*self._format_steps(found, jars), *self._server_steps(), *self._stage_steps()]
        return [step for step in steps if step.name not in self.components.keys() - self.own.keys()]

    def _format_steps(self, found: stamp.Stamp, jars: dict[str, Path]) -> list[Step]:
        """Give a step for each storage that is not formatted."""
        return [
            Step(
                f"format-{item.component}",
                f"{self.components[item.component].title}: storage formatted",
                lambda item=item: run_format(  # type: ignore[misc]
                    item, self.components[item.component], self.settings, jars
                ),
            )
            for item in formats(self.settings, found.cluster_id, jars)
            if item.component in self.own
        ]

    def _server_steps(self) -> list[Step]:
        """Give the steps that start the servers and make what they hold."""
        # whose address is named where a given one does not answer: that of WebHDFS, of Thrift
        hdfs = "datanode" if "hdfs" in self.settings.given else "namenode"
        hbase = "thrift" if "hbase" in self.settings.given else "hbase"
        steps = [
            self._step(name, lambda name=name: QUESTIONS[name](self.settings))  # type: ignore[misc]
            for name in ("kafka", "namenode", "datanode", "metastore")
        ]
        steps += [
            self._step("hiveserver2", lambda: ask_tez(self.settings)),
            Step("folders", "HDFS folders", self._again(hdfs, self._make_folders),
                 ("namenode", "datanode")),
            Step("topic", f"topic {self.settings.topic}",
                 self._again("kafka", self._make_topic), ("kafka",)),
            # HBase answers through its Thrift server only: both are asked by the tables' step
            Step("hbase", "HBase started", lambda: self.supervisor.start("hbase"), ("folders",)),
            Step("thrift", "HBase Thrift started", lambda: self.supervisor.start("thrift"),
                 ("folders",)),
            Step("hbase-tables", "HBase tables", self._again(hbase, self._make_hbase_tables),
                 ("hbase", "thrift")),
            Step("hive-tables", "Hive tables", self._make_hive_tables, ("hiveserver2",)),
        ]  # fmt: skip
        return steps

    def _stage_steps(self) -> list[Step]:
        """Give the steps that start Flume and the stream."""
        return [
            Step("flume", self.components["flume"].title, self._start_flume,
                 self.components["flume"].needs),
            Step("streaming", self.components["streaming"].title, self._start_streaming,
                 self.components["streaming"].needs),
            *self._schedule_step(),
        ]  # fmt: skip

    def _schedule_step(self) -> list[Step]:
        """Give the step that starts the refreshes' schedule, unless that is off."""
        component = self.components["refresh"]
        return [Step("refresh", component.title, self._start_schedule, component.needs)] if (
            self.settings.is_scheduled) else []  # fmt: skip

    def _step(self, name: str, question: Callable[[], object]) -> Step:
        def start() -> None:
            self.supervisor.start(name)
            self._wait(name, question)

        needs = (*self.components[name].needs, f"format-{name}")
        return Step(name, self.components[name].title, start, needs)

    def _again(self, name: str, action: Callable[[], object]) -> Callable[[], object]:
        """Try an action on a server until it succeeds: it may not take it at once."""
        return lambda: self._wait(name, action)

    def _wait(self, name: str, question: Callable[[], Answer]) -> Answer:
        """Wait for a component's real answer, unless another step of the start has failed."""
        component = self.components[name]
        if component.is_given(self.settings):
            return wait_for_given(component.given, self.settings, question, halt=self.halt)
        return wait_for_answer(name, question, self.supervisor, self.places, halt=self.halt)

    def make_storage(self) -> None:
        """Make the folders on HDFS and the topic, whoever started the servers."""
        self._wait("datanode", self._make_folders)
        self._wait("kafka", self._make_topic)

    def make_hbase_tables(self) -> None:
        """Make the tables of HBase, whoever started it."""
        self._wait("thrift", self._make_hbase_tables)

    def make_hive_tables(self) -> None:
        """Make the tables of Hive, whoever started it."""
        self._wait("hiveserver2", self._make_hive_tables)

    def _make_folders(self) -> None:
        settings = self.settings
        hdfs = Hdfs(settings.webhdfs, user=settings.superuser, timeout=10)
        # HBase makes its own at its start; in containers it is on another volume
        made = self.places.run / "folders-made"
        is_ours = made.exists() or (settings.data / "hbase").exists()
        foreign = "hdfs" in settings.given and "hbase" not in settings.given
        if foreign and not is_ours:
            check_hbase_root(hdfs)
        make_folders(hdfs, self.places.scratch, settings.given)
        made.touch()

    def _make_topic(self) -> None:
        # our own broker is configured with it
        kept = self.settings.topic_retention_days if "kafka" in self.settings.given else None
        self.topic.make(self.settings.topic_partitions, kept)
        if not self.topic.leaders():
            raise LoyaltyError(f"topic {self.settings.topic} is not there yet")
        QUESTIONS["kafka"](self.settings)

    def _make_hbase_tables(self) -> None:
        make_hbase_tables(*self.settings.thrift)
        QUESTIONS["hbase"](self.settings)

    def _make_hive_tables(self) -> None:
        with open_session(self.settings) as session:
            make_hive_tables(session, self.settings.hdfs)

    def beginning(self, name: str) -> Question | None:
        """Give the question to ask a stage after its start; None for who has no other one."""
        if name == "flume":  # Kafka loads its group coordinator at the first question
            return self._wait("kafka", lambda: stages.of_flume(self.topic))
        if name == "streaming":
            return stages.of_streaming(self.places)
        return stages.of_schedule(self.places) if name == "refresh" else None

    def _start_flume(self) -> None:
        """Flume answers when both sinks have new members that read up to the topic's end."""
        begins, ends = self.beginning("flume"), self.topic.ends()
        if self.supervisor.processes()["flume"].pid == 0:
            self.note_expired()
        self._start_stage("flume", begins, lambda: [self.topic.committed(g) for g in GROUPS], ends)

    def note_expired(self) -> None:
        """Before Flume starts: note what Kafka has deleted before it was read."""
        missing = self._wait("kafka", lambda: expired_unread(self.topic, GROUPS))
        (self.places.run / EXPIRED).write_text(expiry_sentence(missing), encoding="utf-8")

    def _start_streaming(self) -> None:
        """The stream answers when its progress after the start has reached the topic's end."""
        begins, ends = self.beginning("streaming"), self.topic.ends()

        def offsets() -> list[Offsets]:
            progress = read_progress(self.places)
            return [progress.offsets] if progress else []

        self._start_stage("streaming", begins, offsets, ends)

    def _start_schedule(self) -> None:
        """The schedule answers when it has said something since its start."""
        self._start_stage("refresh", self.beginning("refresh"))

    def _start_stage(
        self,
        name: str,
        begins: Question | None,
        offsets: Callable[[], list[Offsets]] = list,
        ends: Offsets | None = None,
    ) -> None:
        """Start it unless it runs; it has begun, and its readers have come to the ends."""
        if not self.supervisor.start(name):
            return

        def question() -> None:
            if begins is not None:
                begins()
            if not all(has_reached(at, ends or {}) for at in offsets()):
                raise LoyaltyError(f"{name} has not read up to the topic's end")

        self._wait(name, question)
