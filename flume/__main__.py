"""`python -m flume`: put right what the last agent left, then become the agent's JVM."""

import os
import sys
from functools import partial

from cluster.classes import compile_classes
from cluster.component import read_components
from cluster.jars import jar_folders
from cluster.java import java_command
from flume.kept import mend_positions
from flume.recovery import close_files, recover
from flume.rewind import rewind
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.settings import read_settings
from pipeline.topic import Topic
from pipeline.webhdfs import Hdfs


def main() -> None:
    """Raise LoyaltyError while HDFS is away: the supervisor tries again."""
    settings, jars = read_settings(), jar_folders()
    # without its folder, of a cache that was cleared, Flume's own classes would run unnoticed
    compile_classes("flume", jars["flume"])
    places, hdfs = Places(settings.data), Hdfs(settings.webhdfs, user=settings.superuser)
    for path in recover(hdfs, partial(close_files, settings), places):
        sys.stderr.write(f"recovered {path}\n")
    again = rewind(places, Topic(settings.kafka, settings.topic))
    if again is not None:
        sys.stderr.write(f"the sinks read again from {again} (epoch ms): HDFS had no room\n")
    if mend_positions(places):
        sys.stderr.write("the position file was torn: its copy of some seconds before is used\n")
    command = java_command(read_components()["flume"], settings, jars)
    os.execvp(command[0], command)  # noqa: S606  # the agent takes this process's place


if __name__ == "__main__":
    try:
        main()
    except LoyaltyError as error:
        sys.exit(f"flume: {error}")
