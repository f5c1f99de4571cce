"""`python -m flume`: recover what the last agent left open, then become the agent's JVM."""

import os
import subprocess
import sys

from cluster.component import read_components
from cluster.jars import jar_folders
from cluster.java import environment, java_command
from flume.recovery import recover
from pipeline.errors import LoyaltyError, Unavailable
from pipeline.settings import read_settings
from pipeline.webhdfs import Hdfs


def main() -> None:
    """Raise LoyaltyError while HDFS is away: the supervisor tries again."""
    settings, components, jars = read_settings(), read_components(), jar_folders()
    namenode = components["namenode"]

    def tool(main_class: str, arguments: tuple[str, ...]) -> str:
        command = java_command(namenode, settings, jars, main=main_class, arguments=arguments)
        variables = os.environ | environment(namenode, settings)
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode and main_class.endswith("DFSAdmin"):
            raise Unavailable(f"HDFS lists no open files: {done.stderr.strip()[-300:]}")
        return done.stdout

    for path in recover(Hdfs(settings.webhdfs, user="root"), tool):
        sys.stderr.write(f"recovered {path}\n")
    command = java_command(components["flume"], settings, jars)
    os.execvp(command[0], command)  # noqa: S606  # the agent takes this process's place


if __name__ == "__main__":
    try:
        main()
    except LoyaltyError as error:
        sys.exit(f"flume: {error}")
