"""A component is data: the component.toml beside its pom says how each of its processes runs."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from pipeline.addresses import EMBEDDED
from pipeline.settings import ROOT, Settings

FOLDERS: Final[tuple[str, ...]] = ("kafka", "hdfs", "hbase", "hive")
"""Folders of servers, in cluster/."""
STAGES: Final[tuple[str, ...]] = ("flume", "streaming", "hive", "producer")
"""Folders of stages. What Hive is as a server is in cluster/hive."""


class Component(BaseModel):
    """One process.

    `main`, `heap`, `options`, `opens` and `classpath` describe a JVM; `module` is a Python
    package that is started instead (`python -m flume` prepares, then becomes its JVM).
    `user` is who it is for HDFS. `ports` are names of settings. `needs` are other
    components or steps of the start that must be done before. `given` is the setting with
    the address of a server that is used instead, where there is one.
    Texts may hold {conf}, {jars} and {classes}, and names of settings.
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
    given: str = ""

    def port_numbers(self, settings: Settings) -> list[int]:
        """Give the ports that it listens on, the one that clients use first."""
        return [int(getattr(settings, port)) for port in self.ports]

    def is_given(self, settings: Settings) -> bool:
        """Tell whether a server that exists already is used instead."""
        return bool(self.given) and getattr(settings, self.given) != EMBEDDED

    def address(self, settings: Settings) -> str:
        """Give where it is when no process of this machine's supervisor: a given server, or a
        container of its own (host:port, or its host alone). Empty: it is such a process.
        """
        if self.is_given(settings):
            return str(getattr(settings, self.given))
        if not settings.containers:
            return ""
        ports = self.port_numbers(settings)
        return f"{settings.host(self.name)}:{ports[0]}" if ports else settings.host(self.name)


def folder_of(name: str) -> Path:
    """Give the folder that holds a component's pom and templates."""
    return ROOT / name if name in STAGES and name not in FOLDERS else ROOT / "cluster" / name


def read_components() -> dict[str, Component]:
    """Read every component.toml; keys are names, in the order of the data's path."""
    found = {}
    folders = (*(ROOT / "cluster" / name for name in FOLDERS), *(ROOT / name for name in STAGES))
    for folder in folders:
        text = (folder / "component.toml").read_text(encoding="utf-8")
        for table in tomllib.loads(text)["process"]:
            component = Component.model_validate(table)
            found[component.name] = component
    return found
