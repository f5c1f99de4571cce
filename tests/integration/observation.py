"""What a running stack says of itself."""

import json
from typing import Any

from cluster.report import describe
from cluster.stack import Stack
from cluster.supervision import Supervisor
from drill.stack import OwnStack
from pipeline.programme import read_programme


def status(stack: OwnStack) -> dict[str, Any]:
    """Give what `status --json` prints, without a process for each question: it is often asked."""
    described = Stack(stack.settings, read_programme(stack.settings.programme))
    document: dict[str, Any] = json.loads(json.dumps(describe(described), default=str))
    return document


def components(stack: OwnStack) -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in status(stack)["components"]}


def pids(stack: OwnStack) -> dict[str, int]:
    return {p.name: p.pid for p in Supervisor(stack.places).processes().values()}
