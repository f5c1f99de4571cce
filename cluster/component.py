"""A component is data: the component.toml beside its pom says how each of its processes runs."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from pipeline.settings import ROOT, Settings

FOLDERS: Final = ("kafka", "hdfs", "hbase", "hive")
STAGES: Final = ("flume", "streaming", "producer")


class Component(BaseModel):
    """One process.

    `main`, `heap`, `options`, `opens` and `classpath` describe a JVM; `module` is a Python
    package that is started instead (`python -m flume` prepares, then becomes its JVM).
    `user` is who it is for HDFS. `ports` are names of settings. `needs` are other
    components or steps of the start that must be done before.
    Texts may hold {conf} and {jars}, and names of settings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    title: str
    main: str = ""
    module: str = ""
    arguments: tuple[str, ...] = ()
    heap: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    classpath: tuple[str, ...] = ()
    user: str = ""
    ports: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def port_numbers(self, settings: Settings) -> list[int]:
        """Give the ports that it listens on, the one that clients use first."""
        return [int(getattr(settings, port)) for port in self.ports]


def folder_of(name: str) -> Path:
    """Give the folder that holds a component's pom and templates."""
    return ROOT / name if name in STAGES else ROOT / "cluster" / name


def read_components() -> dict[str, Component]:
    """Read every component.toml; keys are names, in the order of the data's path."""
    found = {}
    for name in (*FOLDERS, *STAGES):
        text = (folder_of(name) / "component.toml").read_text(encoding="utf-8")
        for table in tomllib.loads(text)["process"]:
            component = Component.model_validate(table)
            found[component.name] = component
    return found
