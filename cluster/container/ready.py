"""What a container's main process finds in its data folder before it begins."""

import shutil

from cluster.boot import note_boot
from cluster.configuration import render
from cluster.container.care import STAGES, Marks
from cluster.disk import settle_shortage
from cluster.findings import read_findings
from cluster.formats import formats, run_format
from cluster.jars import jar_folders
from cluster.stack import Stack
from cluster.stamp import read_stamp, write_stamp
from pipeline.programme import read_programme
from pipeline.settings import read_settings


def open_stack() -> Stack:
    """Read the settings, make the folders and write the configuration."""
    settings = read_settings()
    stack = Stack(settings, read_programme(settings.programme))
    places = stack.places
    for folder in (places.order_log, places.temporary, places.logs, places.run, places.producer,
                   places.positions.parent, places.run / "stages"):  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    for left in places.temporary.iterdir():  # of this container's lives before
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    render(settings, places, stack.programme.time_zone, jar_folders())
    return stack


def prepare(stack: Stack, name: str) -> None:
    """Format the component's storage at its first start; look at what a reader may have missed."""
    settings, jars = stack.settings, jar_folders()
    if name in STAGES:
        Marks(stack.places, name).stands.unlink(missing_ok=True)
        if name == "flume":
            note_boot(stack.places)
            settle_shortage(stack.places, read_findings(stack.places).short)
            stack.note_expired()
        return
    if name == "hiveserver2":  # of the lives before
        shutil.rmtree(stack.places.scratch, ignore_errors=True)
    found = read_stamp(settings) or write_stamp(settings, stack.programme.time_zone, "server")
    for item in formats(settings, found.cluster_id, jars):
        if item.component == name:
            run_format(item, stack.components[name], settings, jars)
