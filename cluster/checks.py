"""What `up` looks at before it starts anything: each finding with its fix."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from cluster.component import Component
from pipeline.settings import Settings

MEMORY_MIB: Final = 3_500
"""The stack at work takes up to 3 GiB; a Spark job beside it half of one."""
OWN_MIB: Final = {"kafka": 170, "hdfs": 320, "hbase": 420, "hive": 690}
"""Of these the part of the servers that another machine may have."""
DISK_MIB: Final = 2_000
SPARE_MIB: Final = 500
"""What has to be free beside a running stack, for a Spark job."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What stands in the way, and what to do about it."""

    what: str
    fix: str

    def sentence(self) -> str:
        """Give both in one."""
        return f"{self.what}; {self.fix}."


def check_machine(settings: Settings) -> list[Finding]:
    """Look at memory, disk and the JDK."""
    found = (check_memory(needed_mib(settings)), check_disk(settings), check_java())
    return [finding for finding in found if finding is not None]


def needed_mib(settings: Settings) -> int:
    """Give what our own part of the stack takes."""
    return MEMORY_MIB - sum(OWN_MIB[name] for name in settings.given)


def free_memory_mib() -> int:
    """Give what the machine can give to a new process."""
    return int(psutil.virtual_memory().available // 2**20)


def check_memory(needed_mib: int) -> Finding | None:
    """Compare what is free with what is needed."""
    if (free := free_memory_mib()) >= needed_mib:
        return None
    return Finding(f"{free} MiB of memory are free, the stack needs {needed_mib}",
                   "end something else or use a larger machine")  # fmt: skip


def free_disk_mib(settings: Settings) -> int:
    """Give what is free on the disk of the data folder, which need not be there."""
    return shutil.disk_usage(existing(settings.data)).free // 2**20


def check_disk(settings: Settings) -> Finding | None:
    """Compare what is free with what the stack needs."""
    if (free := free_disk_mib(settings)) >= DISK_MIB:
        return None
    return Finding(f"{free} MiB are free on the disk of {settings.data}, {DISK_MIB} are needed",
                   "make room or set LOYALTY_DATA to a folder elsewhere")  # fmt: skip


def existing(path: Path) -> Path:
    """Give a path, or the nearest folder above it that is there."""
    return next(p for p in (path, *path.parents) if p.exists())


def check_java() -> Finding | None:
    """Look for JDK 17 on the PATH."""
    fix = "install JDK 17 (Debian: apt-get install openjdk-17-jdk-headless)"
    if shutil.which("java") is None:
        return Finding("there is no java on the PATH", fix)
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', said)
    if match is None or int(match[1]) != 17:
        return Finding(f"java is version {match[1] if match else 'unknown'}, not 17", fix)
    if shutil.which("javac") is None:
        return Finding("there is a java on the PATH, but no javac", fix)
    return None


def check_ports(components: list[Component], settings: Settings) -> list[Finding]:
    """Look for a listener on each port that the components want; names what holds it."""
    wanted = {
        getattr(settings, port): (component, port)
        for component in components
        for port in component.ports
    }
    found = []
    for taken, holder in listeners().items():
        if taken in wanted:
            component, setting = wanted[taken]
            found.append(
                Finding(f"port {taken} for {component.title} is taken by {holder}",
                        f"stop that, or set LOYALTY_{setting.upper()} to a free port")
            )  # fmt: skip
    return found


def listeners() -> dict[int, str]:
    """Give every TCP port with a listener, and who holds it as far as this user may know."""
    found = {}
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr:
            found[connection.laddr.port] = _holder(connection.pid)
    return found


def _holder(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        process = psutil.Process(pid)
        words = process.cmdline()
    except psutil.Error:
        return f"process {pid}"
    main = next((word for word in words if re.fullmatch(r"[a-z]+(\.\w+)+", word)), None)
    return f"process {pid} ({main or process.name()})"
