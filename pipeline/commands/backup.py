"""`backup` and `restore`: what cannot be rebuilt, out of a running stack and into a new one."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.processes import refuse_containers
from pipeline.commands.status import show_status
from pipeline.commands.up import make_ready, run_shown
from pipeline.console import err, out, print_json
from pipeline.endings import leaving
from pipeline.errors import UsageError
from pipeline.programme import read_programme
from pipeline.progress import Progress, display, working
from pipeline.settings import read_settings

if TYPE_CHECKING:
    from backup.manifest import Manifest
    from cluster.stack import Stack

INSTEAD = "`docker compose stop`, a copy of its volumes, `docker compose start`"


def backup(
    folder: Annotated[Path, typer.Argument(help="A new or an empty folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Copy what cannot be rebuilt into a folder, while the stack runs.

    That is HDFS raw, transactions_cln and quarantine, the customers, the order log files, the
    demo's members, the rate, the list of refreshes and rejected rows. Orders may flow; only Flume
    and the stream pause for the end of it, and what is written meanwhile waits in the order log
    files. The folder holds personal data: only its owner can read it.

    Example: ./loyalty backup ../loyalty-2026-11-29
    """
    if re.match(r"[a-z0-9+.-]{2,}:/", str(folder)):
        raise UsageError(f"{folder} is a URL, and a backup is a folder of this machine; give one.")
    from backup.taking import Told, take_backup
    from cluster.stack import Stack

    settings = read_settings()
    refuse_containers(settings, "backup", INSTEAD)
    stack = Stack(settings, read_programme(settings.programme))
    with (
        leaving("nothing was kept of the backup, and Flume and the stream go on; run it again."),
        working("copied", "bytes") as progress,
    ):
        copied = _Bytes(progress)
        told = Told(err.print, copied.expect, copied.add)
        taken = take_backup(stack, folder.expanduser().resolve(), told)
    manifest = taken.manifest
    size = sum(item.size for item in manifest.items)
    if as_json:
        print_json({"folder": str(folder), "made": manifest.made, "files": len(manifest.items),
                    "bytes": size, "paused_seconds": round(taken.paused, 1),
                    "snapshots": manifest.snapshots})  # fmt: skip
        return
    out.print(
        f"{len(manifest.items):,} files, {size:,} bytes in {folder}; "
        f"Flume and the stream paused for {taken.paused:.1f} s",
        soft_wrap=True,
    )


def restore(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="What `backup` has made.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Start a new stack with what a backup holds. LOYALTY_DATA has to be new or empty.

    First every file is compared with its hash. Then it is a start as by `up`: HBase and the
    snapshots of `loyalty` are made anew, and Flume reads on where the backup was taken. The demo
    producer pauses; `./loyalty rate resume` and `up` let it go on.

    Example: LOYALTY_DATA=var2 ./loyalty restore ../loyalty-2026-11-29
    """
    from backup.manifest import check_files, read_manifest
    from backup.restoring import check_fits, check_room
    from backup.taking import check_apart
    from cluster.stack import Stack
    from cluster.stamp import check_unstamped, read_stamp
    from pipeline.errors import Refused
    from pipeline.lock import only_one

    settings = read_settings()
    refuse_containers(settings, "restore", INSTEAD)
    stack = Stack(settings, read_programme(settings.programme))
    folder = folder.resolve()
    check_apart(folder, settings.data)
    manifest = read_manifest(folder)
    check_fits(manifest, stack)
    if read_stamp(settings) is not None:
        raise Refused(
            f"{settings.data} holds a stack already; set LOYALTY_DATA to a new folder, "
            "or `./loyalty down --purge` first."
        )
    check_unstamped(settings)
    check_room(manifest, settings.data)
    with leaving(), working("checked", "bytes") as progress:
        checked = _Bytes(progress, sum(item.size for item in manifest.items))
        check_files(folder, manifest.items, checked.add)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with only_one(stack.places.run / "up.lock", "A `restore` into this data folder"):
        state = f"{settings.data} is half restored; `./loyalty down --purge`, then restore again."
        with leaving(state):
            _restore(stack, folder, manifest)
    if as_json:
        print_json({"data": str(settings.data), "made": manifest.made,
                    "snapshots": manifest.snapshots})  # fmt: skip
        return
    show_status(stack)
    out.print("\nTry next:\n  ./loyalty verify --wait\n  ./loyalty rebuild")


def _restore(stack: "Stack", folder: Path, manifest: "Manifest") -> None:
    from backup.restoring import Restoration
    from cluster import stamp
    from cluster.boot import note_boot

    jars = make_ready(stack)
    found = stamp.write_stamp(stack.settings, manifest.time_zone, stamp.RESTORING)
    note_boot(stack.places)
    stack.prepare(jars)
    restoration = Restoration(stack, folder, manifest, err.print)
    servers, stages = restoration.steps(found, jars)
    run_shown(servers, stack.halt)
    with display() as begin:
        restoration.put_back(begin)
    run_shown(stages, stack.halt)
    with working("making", "snapshots") as progress:
        for done, day in enumerate(restoration.refresh(), 1):
            err.print(f"  snapshot of {day}")
            progress(done, len(manifest.snapshots))
    stamp.end_restoring(stack.settings, found, manifest.begun)
    if stack.settings.is_scheduled:
        stack.supervisor.start("refresh")


class _Bytes:
    """Adds up what is told in pieces, for a progress that is told sums."""

    def __init__(self, progress: Progress, total: int = 0) -> None:
        self._progress, self._done, self._total = progress, 0, total

    def expect(self, more: int) -> None:
        self._total += more

    def add(self, size: int) -> None:
        self._done += size
        self._progress(self._done, self._total)
