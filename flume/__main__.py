"""`python -m flume`: put right what the last agent left, then become the agent's JVM."""

import os
import subprocess
import sys

from cluster.classes import compile_classes
from cluster.component import read_components
from cluster.jars import jar_folders
from cluster.java import environment, java_command
from flume.kept import mend_positions
from flume.recovery import recover
from flume.rewind import rewind
from pipeline.errors import LoyaltyError, Unavailable
from pipeline.places import Places
from pipeline.settings import read_settings
from pipeline.topic import Topic
from pipeline.webhdfs import Hdfs


def main() -> None:
    """Raise LoyaltyError while HDFS is away: the supervisor tries again."""
    settings, components, jars = read_settings(), read_components(), jar_folders()
    # the tools are run as the superuser, also of an HDFS that is not ours
    namenode = components["namenode"].model_copy(update={"user": settings.superuser})

    def tool(main_class: str, arguments: tuple[str, ...]) -> str:
        command = java_command(namenode, settings, jars, main=main_class, arguments=arguments)
        variables = os.environ | environment(namenode, settings)
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode and main_class.endswith("DFSAdmin"):
            raise Unavailable(f"HDFS lists no open files: {done.stderr.strip()[-300:]}")
        return done.stdout

    places = Places(settings.data)
    for path in recover(Hdfs(settings.webhdfs, user=settings.superuser), tool, places):
        sys.stderr.write(f"recovered {path}\n")
    again = rewind(places, Topic(settings.kafka, settings.topic))
    if again is not None:
        sys.stderr.write(f"the sinks read again from {again} (epoch ms): HDFS had no room\n")
    if mend_positions(places):
        sys.stderr.write(
            "the position file was of no use: its copy of some seconds before is used\n"
        )
    # of a cache that was cleared: without them Flume's own would run, and no sink
    compile_classes("flume", jars["flume"])
    command = java_command(components["flume"], settings, jars)
    os.execvp(command[0], command)  # noqa: S606  # the agent takes this process's place


if __name__ == "__main__":
    try:
        main()
    except LoyaltyError as error:
        sys.exit(f"flume: {error}")
