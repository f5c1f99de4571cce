"""Storage is formatted once: Kafka's log, HDFS's name space, the metastore's schema."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cluster.component import Component
from cluster.java import environment, java_command
from pipeline.errors import LoyaltyError
from pipeline.settings import Settings

_HALF: Final = {"metastore": "hive/metastore_db", "namenode": "hdfs/name"}
"""The folder that holds nothing but what the format makes, by component."""


@dataclass(frozen=True, slots=True)
class Format:
    """A server's own tool that prepares its storage, and a pattern of what is there afterwards."""

    component: str
    made: str
    main: str
    arguments: tuple[str, ...]
    extra: Mapping[str, str]


def formats(settings: Settings, cluster_id: str, jars: dict[str, Path]) -> list[Format]:
    """List the formats that were not done yet."""
    wanted = [
        Format(
            "kafka", "kafka/meta.properties", "kafka.tools.StorageTool",
            ("format", "--cluster-id", cluster_id, "--config", "{conf}/kafka/server.properties"),
            {},
        ),
        Format(
            "namenode", f"hdfs/name/current/fsimage_{'[0-9]' * 19}",
            "org.apache.hadoop.hdfs.server.namenode.NameNode", ("-format", "-nonInteractive"), {},
        ),
        Format(
            "metastore", "hive/schema.made",
            "org.apache.hadoop.hive.metastore.tools.schematool.MetastoreSchemaTool",
            ("-dbType", "derby", "-initSchema"), {"METASTORE_HOME": str(jars["hive-schema"])},
        ),
    ]  # fmt: skip
    return [item for item in wanted if not any(settings.data.glob(item.made))]


def run_format(
    item: Format, component: Component, settings: Settings, jars: dict[str, Path]
) -> None:
    """Run one format; raises LoyaltyError with the tool's last words."""
    # what a start that was cut off has left is half of it, and the tools refuse that
    if (half := _HALF.get(item.component)) is not None and not any(
        settings.data.glob(f"{half}/current/edits_*")  # a name space that was in use
    ):
        shutil.rmtree(settings.data / half, ignore_errors=True)
    command = java_command(component, settings, jars, main=item.main, arguments=item.arguments)
    variables = os.environ | environment(component, settings) | dict(item.extra)
    done = subprocess.run(
        command, env=variables, cwd=settings.data / "run", capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise LoyaltyError(
            f"{component.title} could not format its storage: {' '.join(last)} "
            f"Remove {settings.data} with `./loyalty down --purge` and try again."
        )
    if item.component == "metastore":  # its tool leaves no sign that it came to its end
        made = settings.data / item.made
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()
