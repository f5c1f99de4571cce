"""Raw files that an agent left open: their leases are recovered, then they get their final name.

Only while no agent runs: it would lose the file that it writes. Without this a file that was
open shows a wrong length, or stays `.NAME.log.tmp` for ever.
"""

import os
import subprocess
from collections.abc import Callable
from typing import Final

from cluster.component import read_components
from cluster.jars import jar_folders
from cluster.java import environment, java_command
from pipeline.errors import Unavailable
from pipeline.places import RAW, Places
from pipeline.raw import dates
from pipeline.settings import Settings
from pipeline.webhdfs import Hdfs

PATIENCE_SECONDS: Final = 60
"""A round takes up to a DataNode's heartbeat (1 s), or 30 of them if a server has just died."""
_STILL_OPEN: Final = 2
"""The exit code of LeaseRecovery for that."""
_JVM_SECONDS: Final = 60
"""For the start of the JVM, and its client's patience with a NameNode that is away."""


def final_name(name: str) -> str | None:
    """Give `NAME.log` for `.NAME.log.tmp`, None for any other name."""
    if name.startswith(".") and name.endswith(".log.tmp"):
        return name[1:].removesuffix(".tmp")
    return None


def recover(hdfs: Hdfs, close: Callable[[], None], places: Places) -> list[str]:
    """Close (see close_files) and rename what was left open; gives the final paths of the renamed.

    Only dates of arrival from the newest one of the last recovery on are listed: the agent since
    then has written to no other, and raw grows for ever. They may be many: where HDFS was away
    when a file was to be closed, Flume tries to rename it once more and goes on for weeks.
    """
    found = dates(hdfs)
    if not found:
        return []
    close()
    marker = places.positions.parent / "recovered"
    first = marker.read_text(encoding="ascii") if marker.exists() else ""
    renamed = []
    # as texts: of a marker that was torn there is only a beginning, so more is listed
    for folder in (f"{RAW}/dt={day}" for day in found if day.isoformat() >= first):
        for name in hdfs.names(folder):
            if (final := final_name(name)) is not None:
                hdfs.rename(f"{folder}/{name}", f"{folder}/{final}")
                renamed.append(f"{folder}/{final}")
    marker.write_text(found[-1].isoformat(), encoding="ascii")
    return renamed


def close_files(settings: Settings) -> None:
    """Recover the lease of each raw file that has a writer, as the superuser, and wait for it.

    Raises Unavailable when HDFS does not answer, or a lease is not given up within a minute.
    """
    # the superuser, also of an HDFS that is not ours
    agent = read_components()["flume"].model_copy(update={"user": settings.superuser})
    arguments = (RAW, str(PATIENCE_SECONDS))
    command = java_command(
        agent, settings, jar_folders(), main="loyalty.LeaseRecovery", arguments=arguments
    )
    try:
        done = subprocess.run(
            command, env=os.environ | environment(agent, settings), capture_output=True, text=True,
            check=False, timeout=PATIENCE_SECONDS + _JVM_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"HDFS lists no open files within {error.timeout:.0f} s.") from None
    said = done.stderr.strip()[-300:]
    if done.returncode == _STILL_OPEN:
        path = said.splitlines()[-1]
        raise Unavailable(f"HDFS does not close {path}; is the DataNode up? The agent tries again.")
    if done.returncode:
        raise Unavailable(f"HDFS lists no open files: {said}")
