"""Disks that are full, or nearly: `status` says so before anybody asks why nothing moves."""

import os
import threading
import time
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from cluster.findings import read_findings, write_findings
from flume.rewind import ask_to_rewind
from pipeline.places import Places

GLANCE_SECONDS: Final = 1
"""How often a disk is looked at: one that fills up and has room again takes longer than that to
write what HDFS wants (768 MiB), and the rounds of the watcher are too far apart to see it."""


@dataclass(frozen=True, slots=True)
class Need:
    """A folder of the data folder, and the MiB below which its writer stops or soon will."""

    folder: str
    title: str
    least_mib: int
    stops: str
    waits: str = ""
    """The component that waits for room, and so does whoever needs it; empty where it is a till."""
    again: tuple[str, ...] = ()
    """The components that have to be started again when there is room."""

    @property
    def enough_mib(self) -> int:
        """Give the MiB at which a shortage is over: a quarter more than the least."""
        return self.least_mib * 5 // 4


NEEDS: Final = (
    Need("orders-log", "the order log files", 4, "tills wait with their next line"),
    Need("kafka", "Kafka", 32, "no line gets further than the order log files", "kafka"),
    # Blocks that are reserved for open files, and what has to be left: see conf/hdfs-site.xml. The
    # NameNode counts those of failed attempts as well, for ten minutes.
    # A DataNode that found no room amid a write believes in another length of that block than it
    # has, and nobody can recover it ("Block length mismatch"): HBase would never come back. What
    # Flume was writing stays open: only a new agent's start recovers it, see flume/rewind.py.
    Need("hdfs", "HDFS", 768, "nothing gets further than the topic", "namenode",
         ("datanode", "flume")),
)  # fmt: skip


def needs(given: Container[str] = ()) -> list[Need]:
    """Give the needs of the servers that are our own (given: see Settings.given)."""
    return [need for need in NEEDS if need.folder not in given]


def find_full(places: Places, short: Container[str] = (), given: Container[str] = ()) -> list[str]:
    """Give a sentence for each folder with less room than its writer needs; one that the watcher
    has found short (see Shortage) is named until there is enough.
    """
    return [
        f"The disk of {need.title} ({places.data / need.folder}) has {mib} MiB left:"
        f" {need.stops}. It goes on by itself when there are {need.enough_mib} MiB."
        for need in needs(given)
        if (mib := _free_mib(places, need.folder))
        < (need.enough_mib if need.folder in short else need.least_mib)
    ]


def settle_shortage(places: Places, short: Mapping[str, float]) -> None:
    """Before a start: a stack that went down while room lacked has lost the same as any other.

    short: as the last watcher has told, see Findings.
    """
    for need in NEEDS:
        if need.folder in short and "flume" in need.again:
            ask_to_rewind(places, short[need.folder])


class Shortage:
    """What the watcher has to know: who waits for room, and who is to be started again after it.

    short: the folders that are short of room, by since when (epoch seconds).
    """

    def __init__(
        self, places: Places, short: Mapping[str, float] | None = None, given: Container[str] = ()
    ) -> None:
        self._places = places
        self._needs = needs(given)
        self.short = dict(short or {})

    def keep_an_eye(self) -> None:
        """From now on, see also what is short between two looks."""
        pause = threading.Event()  # never set

        def glance() -> None:
            while not pause.wait(GLANCE_SECONDS):
                with suppress(OSError):  # the next look raises it where it can be told
                    self.glance()

        threading.Thread(target=glance, daemon=True).start()

    def glance(self) -> None:
        """Take down who is short of room: it stays so until a look finds enough, and for the
        watcher after this one, too.
        """
        for need in self._needs:
            if need.folder in self.short:
                continue
            if _free_mib(self._places, need.folder) < need.least_mib:
                self.short[need.folder] = time.time()
                with suppress(OSError):  # the end of the round tells it again
                    told = read_findings(self._places)
                    write_findings(self._places, replace(told, short=dict(self.short)))

    def look(self) -> tuple[set[str], set[str]]:
        """Give the components that wait now, and those whose shortage has just ended.

        It has ended when there is enough, so that it does not flicker.
        """
        ended: set[str] = set()
        self.glance()
        for need in self._needs:
            mib = _free_mib(self._places, need.folder)
            if need.folder in self.short and mib >= need.enough_mib:
                since = self.short.pop(need.folder)
                ended.update(need.again)
                if "flume" in need.again:
                    ask_to_rewind(self._places, since)
        waits = {need.waits for need in self._needs if need.folder in self.short}
        return waits - {""}, ended


def _free_mib(places: Places, folder: str) -> int:
    try:
        found = os.statvfs(places.data / folder)
    except FileNotFoundError:  # before the first start
        found = os.statvfs(next(p for p in (places.data, *places.data.parents) if p.exists()))
    # without inodes no file can be made, whatever room there is
    return found.f_bavail * found.f_frsize >> 20 if found.f_favail or not found.f_files else 0
