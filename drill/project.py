"""A project of docker compose of a drill's own: its ports, its volumes, its containers."""

import json
import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import psutil

from cluster.supervision import Process, Supervisor
from drill.stack import PORTS, UP_SECONDS, OwnStack, free_ports, is_removed, new_folder
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.settings import ROOT, Settings
from pipeline.variables import PREFIX, variable_of

ENV_FILE: Final = "compose.env"
NO_DOCKER: Final = "docker is not on the PATH; install Docker, then try again."
INSIDE: Final = "/data"
"""The data folder of the stages and the command line, in their containers."""


@dataclass(frozen=True)
class Project:
    """environment: where docker finds its engine, which project is meant, and its settings."""

    environment: dict[str, str]

    def docker(self, *words: str, timeout: float = 300) -> str:
        """Run `docker WORDS`; gives its standard output. Raises LoyaltyError where it fails."""
        try:
            done = subprocess.run(
                ["docker", *words], cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=timeout, check=False,
            )  # fmt: skip
        except FileNotFoundError:
            raise LoyaltyError(NO_DOCKER) from None
        except subprocess.TimeoutExpired as error:
            raise LoyaltyError(
                f"`docker {words[0]} …` had not ended after {timeout:.0f} s."
            ) from error
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-1500:]
            raise LoyaltyError(f"`docker {' '.join(words)[:200]}` failed: {said}")
        return done.stdout

    def compose(self, *words: str, timeout: float = 300) -> str:
        """Run `docker compose WORDS`."""
        return self.docker("compose", *words, timeout=timeout)

    def up(self) -> None:
        """Start everything, and wait until all of it is healthy."""
        self.compose("up", "-d", "--wait", "--wait-timeout", str(UP_SECONDS),
                     timeout=UP_SECONDS + 60)  # fmt: skip

    def containers(self) -> dict[str, dict[str, Any]]:
        """Give what Docker says of each container, by service."""
        ids = self.compose("ps", "-aq").split()
        found = json.loads(self.docker("inspect", *ids)) if ids else []
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def states(self) -> dict[str, str]:
        """Give each service's health, or its state where it has none."""
        return {
            name: str(one["State"].get("Health", one["State"])["Status"])
            for name, one in self.containers().items()
        }

    def volume(self) -> Path:
        """Give where the stages' data folder is on this machine; root alone can read it."""
        mounts = self.containers()["loyalty"]["Mounts"]
        (source,) = (mount["Source"] for mount in mounts if mount["Destination"] == INSIDE)
        return Path(source)


class HostView(Supervisor):
    """The containers of a project seen from the host, by the host's process ids."""

    def __init__(self, places: Places, project: Project) -> None:
        super().__init__(places)
        self._project = project

    def is_running(self) -> bool:
        """Say that somebody cares: Docker does."""
        return True

    def processes(self) -> dict[str, Process]:
        """Give each component's own process: the child of its container's main process."""
        return {
            name: Process(name, one["State"]["Status"].upper(), _component(one["State"]["Pid"]))
            for name, one in self._project.containers().items()
        }

    def start(self, name: str) -> bool:
        """Start a container."""
        self._project.compose("start", name)
        return True

    def stop(self, name: str) -> None:
        """Stop a container, and wait for its end."""
        self._project.compose("stop", name)


def _component(pid: int) -> int:
    """Give the component below a container's init and its main process; 0 where there is none."""
    try:
        family = psutil.Process(pid).children() if pid else []
        children = family[0].children() if family else []
    except psutil.NoSuchProcess:
        return 0
    return children[0].pid if children else 0


class Exec(subprocess.Popen[bytes]):
    """`docker compose exec`, which hands no signal on: they go to the process inside."""

    mark: str
    """A word of the command line inside."""
    container: int
    """A process of its container."""

    def send_signal(self, sig: int) -> None:
        """Send it to the process inside."""
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if self.mark in words and "pipeline" in words and self._is_inside(process.pid):
                process.send_signal(sig)

    def _is_inside(self, pid: int) -> bool:
        try:
            spaces = [(Path("/proc") / str(p) / "ns" / "pid").readlink()
                      for p in (pid, self.container)]  # fmt: skip
        except OSError:
            return False
        return spaces[0] == spaces[1]


@dataclass(frozen=True)
class ContainerStack(OwnStack):
    """A stack in containers; its settings are those of the host's clients, its data folder is the
    stages' volume, so that everything that reads it natively reads it here.
    """

    @property
    def project(self) -> Project:
        """Its project."""
        return Project(self.environment)

    @cached_property
    def supervisor(self) -> Supervisor:
        """Who cares for its processes: Docker."""
        return HostView(self.places, self.project)

    def command(self, *arguments: str) -> list[str]:
        """Give the command line in the containers; paths of the volume are those inside."""
        data = str(self.settings.data)
        return [*super().command("--compose"), *(a.replace(data, INSIDE) for a in arguments)]

    def start(self, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        """Start a command inside, its output in a file here."""
        *_, last = self.command(*arguments)
        with log.open("ab") as output:
            process = Exec(
                self.command(*arguments), env=self.environment, cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        process.mark = last
        process.container = int(self.project.containers()["loyalty"]["State"]["Pid"])
        return process

    def exports(self) -> dict[str, str]:
        """Give the variables that mean this stack and no other."""
        names = ("COMPOSE_PROJECT_NAME", "COMPOSE_ENV_FILES", "PIPELINE_ENV_FILE")
        return {name: self.environment[name] for name in names}


def describe_project(folder: Path, environment: dict[str, str], **settings: str) -> Project:
    """Describe a project with free ports; nothing is invented, and nothing is started.

    environment: where docker finds its engine; settings that are in it are not taken over.
    """
    values = {"producer": "0", "refresh": "off", "refresh_nightly": "off"} | settings
    values |= {n: str(p) for n, p in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    file = folder / ENV_FILE
    lines = [f"{variable_of(name)}={value}\n" for name, value in values.items()]
    file.write_text("".join(lines), encoding="utf-8")
    others = {k: v for k, v in environment.items() if not k.startswith(PREFIX)}
    return Project(others | {
        "COMPOSE_PROJECT_NAME": f"loyalty-drill-{uuid.uuid4().hex[:8]}",
        "COMPOSE_ENV_FILES": str(file), "PIPELINE_ENV_FILE": str(file),
    })  # fmt: skip


def describe_stack(project: Project) -> ContainerStack:
    """Describe the stack of a project that runs."""
    read = Path(project.environment["COMPOSE_ENV_FILES"]).read_text(encoding="utf-8").splitlines()
    values = {name.removeprefix(PREFIX).lower(): value
              for name, value in (line.split("=", 1) for line in read)}  # fmt: skip
    ports = {name: values[name] for name in PORTS}
    # the metastore has no published port: HiveServer2 answers for it, as for a given Hive
    hive = f"127.0.0.1:{values['hiveserver2_port']}"
    settings = Settings.model_validate({**ports, "LOYALTY_HIVE": hive})
    # a volume's path may be longer than a data folder's: no server takes it here
    return ContainerStack(
        settings.model_copy(update={"data": project.volume()}), project.environment
    )


@contextmanager
def container_stack(
    is_kept: Callable[[Path], bool] = is_removed, /, **settings: str
) -> Iterator[ContainerStack]:
    """Build the image and start an empty stack in containers; at the end it goes with its volumes.

    Where `is_kept` says so then, its volumes stay. Raises LoyaltyError where it does not start.
    """
    if os.geteuid():
        raise LoyaltyError("A drill in containers kills by process ids: run it as root.")
    with new_folder(is_kept) as folder:
        project = describe_project(folder, dict(os.environ), **settings)
        try:
            project.compose("build", "-q", timeout=3600)
            project.up()
            yield describe_stack(project)
        finally:
            project.compose("down", *([] if is_kept(folder) else ["-v", "--rmi", "all"]))
