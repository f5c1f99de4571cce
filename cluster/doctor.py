"""`doctor`: `up`'s own checks and every component's question, asked anew on any stack."""

import getpass
import os
import shutil
from collections.abc import Callable
from functools import partial
from typing import Final

from cluster.asking import ask_together, sentence_of
from cluster.checks import (
    SPARE_MIB,
    Finding,
    check_disk,
    check_java,
    check_memory,
    check_ports,
    free_disk_mib,
    free_memory_mib,
    needed_mib,
)
from cluster.diagnosis import Check, Document, diagnose, split
from cluster.findings import BUSY_LOAD
from cluster.given import ask_given
from cluster.jars import faulty_jars, jar_folders
from cluster.patient import stretch
from cluster.report import describe
from cluster.stack import Stack
from cluster.stamp import TILLS, check_stamp, check_unstamped, read_stamp
from cluster.vitals import load
from pipeline.errors import LoyaltyError, Refused, UsageError
from pipeline.places import Places
from pipeline.programme import Programme, read_programme
from pipeline.screen import is_up
from pipeline.settings import Settings, read_settings

ASK_SECONDS: Final = 3
"""How long a component's question may take: longer than `status` waits, and more so on a busy
machine."""
LOOK_SECONDS: Final = 60
"""How long all of it may take: the jars are half a gigabyte to read."""


def examine() -> list[Check]:
    """Look at everything. Wrong settings, a stamp that cannot be read or a wrong programme end it:
    nothing else is sure then.
    """
    try:
        settings = read_settings()
    except UsageError as error:
        said = str(error).removeprefix("Wrong settings: ").partition(" Correct the ")[0]
        return [Check("settings", False, said, "correct the environment or .env")]
    except Refused as error:
        return [split("data folder", str(error))]
    try:
        programme = read_programme(settings.programme)
    except Refused as error:
        return [split("programme", str(error))]
    known = [
        Check("settings", True, "all of them are understood"),
        Check("programme", True, f"{settings.programme.name}: {programme.time_zone},"
                                 f" {programme.currency}"),
    ]  # fmt: skip
    return [*known, *_examine(Stack(settings, programme))]


def _examine(stack: Stack) -> list[Check]:
    settings = stack.settings
    try:
        document = describe(stack, ASK_SECONDS * stretch(load(), BUSY_LOAD))
    except Refused as error:
        return [split("producer", str(error))]
    is_there = is_up(document) or bool(document["watcher"])
    looks: dict[str, Callable[[], Check | list[Check]]] = {
        "data folder": lambda: _data_folder(settings, stack.programme),
        "memory": partial(_memory, SPARE_MIB if is_there else needed_mib(settings)),
        "disk": lambda: _row("disk", check_disk(settings), f"{free_disk_mib(settings):,} MiB free"),
        "load": _load,
        "JDK": lambda: _row("JDK", check_java(), "17, with its compiler"),
        "ports": lambda: _ports(stack, document),
        "jars": _jars,
        "order log": lambda: _order_log(stack.places),
    }
    if settings.given:
        looks["given servers"] = lambda: _given(settings)
    if stack.settings.containers:  # the image's and Docker's own affair
        del looks["JDK"], looks["ports"]
    rows = list[Check]()
    for name, answer in ask_together(looks, LOOK_SECONDS).items():
        if isinstance(answer, Exception):
            rows.append(Check(name, None, sentence_of(answer)))
        else:
            rows += answer if isinstance(answer, list) else [answer]
    return [*rows, *diagnose(document, free_disk_mib(settings) << 20)]


def _row(subject: str, finding: Finding | None, well: str) -> Check:
    if finding is None:
        return Check(subject, True, well)
    return Check(subject, False, finding.what, finding.fix)


def _memory(needed_mib: int) -> Check:
    return _row("memory", check_memory(needed_mib), f"{free_memory_mib():,} MiB free")


def _load() -> Check:
    """Look how busy the machine is: where it is too busy, nobody answers in time."""
    busy = load()
    finding = None
    if busy > BUSY_LOAD:
        what = f"{busy:.0f} processes want to run for each processor, so all answers are slow"
        finding = Finding(what, "end what else runs here, or wait; then look again")
    return _row("load", finding, f"{busy:.1f} processes for each processor want to run")


def _data_folder(settings: Settings, programme: Programme) -> Check:
    """Look at its stamp, and whether this user may write there."""
    if not settings.data.exists():
        return Check("data folder", True, f"{settings.data} is not there yet; `up` makes it")
    if not os.access(settings.data, os.R_OK | os.W_OK | os.X_OK):
        return Check("data folder", False, f"{settings.data} is not this user's to write",
                     f"`chown -R {getpass.getuser()} {settings.data}` as root, or another"
                     " LOYALTY_DATA")  # fmt: skip
    try:
        if (stamp := read_stamp(settings)) is None:
            check_unstamped(settings, TILLS)
        else:
            check_stamp(stamp, settings, programme.time_zone)
    except LoyaltyError as error:
        return split("data folder", str(error))
    return Check("data folder", True, str(settings.data))


def _given(settings: Settings) -> Check:
    """Ask the given servers what `up` asks them first: what needs none of our tables."""
    try:
        ask_given(settings, ASK_SECONDS)
    except LoyaltyError as error:
        return split("given servers", str(error))
    return Check("given servers", True, f"{', '.join(sorted(settings.given))}: each answers")


def _ports(stack: Stack, document: Document) -> list[Check]:
    """Look whether others hold the ports of what does not run, a row for each that is held; what
    is left of a killed supervisord holds them as ours.
    """
    down = [
        stack.components[c["name"]] for c in document["components"]
        if not c["given"] and not c["rss_mib"] and c["state"] in {"down", "starting"}
    ]  # fmt: skip
    if document["watcher"]:
        return [Check("ports", None, "not looked at: see supervisor")]
    findings = check_ports(down, stack.settings)
    return [_row("ports", f, "") for f in findings] or [
        Check("ports", True, "each is ours or free")
    ]


def _jars() -> Check:
    """Read every jar that was fetched; changes nothing, as `up` would."""
    folders = jar_folders()
    missing = [module for module, folder in folders.items() if not folder.is_dir()]
    faulty = [
        folder / name
        for module, folder in folders.items()
        if folder.is_dir()
        for name in faulty_jars(module, folder)
    ]
    finding, well = None, "each is the one that was locked"
    if missing:
        well = f"`up` fetches those of {', '.join(missing)}"
        if shutil.which("mvn") is None:
            what = f"those of {', '.join(missing)} are to be fetched, and no mvn is on the PATH"
            finding = Finding(what, "install Maven (Debian: apt-get install maven)")
    if faulty:
        what = f"{faulty[0]} is not the jar that was locked ({len(faulty)} of them)"
        fix = f"`rm -r {faulty[0].parent}`; `./loyalty up` fetches them again"
        finding = Finding(what, fix)
    return _row("jars", finding, well)


def _order_log(places: Places) -> list[Check]:
    """Look whether Flume, which is this user, can read what it tails: a row for each that it cannot
    read, and for each that it leaves out.
    """
    found: list[Finding | None]
    found, folder, files = [], places.order_log, places.order_files()
    closed = [path for path in files if not os.access(path, os.R_OK)]
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        closed.insert(0, folder)
    for path in closed:
        what = f"{path} cannot be read by this user, so not by Flume"
        fix = f"`chmod a+rX {path}` by its owner, or a group that both are in"
        found.append(Finding(what, fix))
    for path, why in places.left_out().items():
        name = ascii(str(path))[1:-1]
        what = f"{name} {why}, so Flume does not read it"
        fix = f"move {name} elsewhere, or give it another name"
        found.append(Finding(what, f"`rm {name}`" if path.is_symlink() else fix))
    well = f"{len(files)} files, all readable"
    return [_row("order log", one, well) for one in found or [None]]
