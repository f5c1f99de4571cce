"""Storage is formatted once: Kafka's log, HDFS's name space, the metastore's schema."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.component import Component
from cluster.java import environment, java_command
from pipeline.errors import LoyaltyError
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Format:
    """A server's own tool that prepares its storage, and the folder that is there afterwards."""

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
            "namenode", "hdfs/name/current/VERSION",
            "org.apache.hadoop.hdfs.server.namenode.NameNode", ("-format", "-nonInteractive"), {},
        ),
        Format(
            "metastore", "hive/schema.made",
            "org.apache.hadoop.hive.metastore.tools.schematool.MetastoreSchemaTool",
            ("-dbType", "derby", "-initSchema"), {"METASTORE_HOME": str(jars["hive-schema"])},
        ),
    ]  # fmt: skip
    return [item for item in wanted if not (settings.data / item.made).exists()]


def run_format(
    item: Format, component: Component, settings: Settings, jars: dict[str, Path]
) -> None:
    """Run one format; raises LoyaltyError with the tool's last words."""
    if item.component == "metastore":  # the schema of a start that was cut off is half there
        shutil.rmtree(settings.data / "hive" / "metastore_db", ignore_errors=True)
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
    made = settings.data / item.made
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()
