"""What a running stack says of itself."""

import json
from typing import Any

from cluster.supervision import Supervisor
from tests.integration.conftest import RunningStack


def status(stack: RunningStack) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stack.ok("status", "--json"))
    return document


def components(stack: RunningStack) -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in status(stack)["components"]}


def pids(stack: RunningStack) -> dict[str, int]:
    return {p.name: p.pid for p in Supervisor(stack.places).processes().values()}
