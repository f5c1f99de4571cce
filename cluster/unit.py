"""A systemd unit for one stack: up at the machine's start, down before its end.

`up` ends when everything answers, and what it has started lives on: so it is a oneshot that remains
(systemd.service(5)). Supervisor, not systemd, cares for the processes (docs/decisions/0006).
"""

import getpass
import os
from collections.abc import Mapping
from typing import Final

from cluster.startup import PATIENCE_SECONDS
from pipeline.settings import ROOT, Settings

START_SECONDS: Final = 3 * PATIENCE_SECONDS
"""A first start fetches 0.6 GB, too."""
STOP_SECONDS: Final = 420
"""Components stop one after another, with up to 40 s each (cluster/shutdown.py)."""


def write_unit(environment: Mapping[str, str], settings: Settings, *, of_user: bool) -> str:
    """Give the unit's text. environment: its PATH, its cache folder, and which LOYALTY_* this very
    shell sets; their values are the settings' (a relative path is one of the shell's folder), so
    that the unit means the stack that the shell means; .env is read by `up` itself.

    of_user: for `systemctl --user`; else for the whole machine, run as the user who asks.
    """
    given = {name.upper() for name, value in environment.items() if value}
    told = {k: v for k, v in sorted(settings.environment().items()) if k in given}
    # where the jars and classes are that are there already
    cache = {name: environment[name] for name in ("XDG_CACHE_HOME",) if environment.get(name)}
    variables = {"PATH": environment.get("PATH", os.defpath)} | cache | told
    # in a command, and only there, $ stands for a variable
    program = _quoted(str(ROOT / "loyalty")).replace("$", "$$")
    lines = [
        "[Unit]",
        "Description=Loyalty pipeline: Kafka, HDFS, HBase, Hive, Flume, Spark",
        f"Documentation=file://{_escaped(str(ROOT / 'README.md'))}",
        *([] if of_user else ["Wants=network-online.target", "After=network-online.target"]),
        "",
        "[Service]",
        "Type=oneshot",
        "RemainAfterExit=yes",
        *([] if of_user else [f"User={getpass.getuser()}"]),
        f"WorkingDirectory={_escaped(str(ROOT))}",
        *(f'Environment="{name}={_quoted(value)}"' for name, value in variables.items()),
        f'ExecStart="{program}" up',
        f'ExecStop="{program}" down',
        f"TimeoutStartSec={START_SECONDS}",
        f"TimeoutStopSec={STOP_SECONDS}",
        "",
        "[Install]",
        f"WantedBy={'default.target' if of_user else 'multi-user.target'}",
        "",
    ]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def _quoted(text: str) -> str:
    """Give a text as it stands between double quotes, without any meaning to systemd."""
    return _escaped(text).replace("\\", "\\\\").replace('"', '\\"')
