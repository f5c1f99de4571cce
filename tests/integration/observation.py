"""What a running stack says of itself."""

import json
from typing import Any

from cluster.supervision import Supervisor
from drill.stack import OwnStack


def status(stack: OwnStack) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stack.ok("status", "--json"))
    return document


def components(stack: OwnStack) -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in status(stack)["components"]}


def pids(stack: OwnStack) -> dict[str, int]:
    return {p.name: p.pid for p in Supervisor(stack.places).processes().values()}
