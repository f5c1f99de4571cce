"""Slows down the restarts of what ends again and again; runs within supervisord itself.

supervisord backs off from what ends within `startsecs` of its start; anything else it starts again
at once, for ever. This puts the latter too into its state BACKOFF, from which it goes on by itself.
"""

import time
from collections import defaultdict
from typing import Any, Final

from supervisor import events
from supervisor.rpcinterface import make_main_rpcinterface
from supervisor.states import ProcessStates

WINDOW_SECONDS: Final = 600
FREE_ENDS: Final = 5
"""So many ends within the window cost nothing: a few kills are mended as quickly as can be."""
MOST_SECONDS: Final = 60
"""Nobody who has mended the cause waits longer for the next start."""


def pause_seconds(ends: int) -> int:
    """Give how long a restart waits after so many ends within the window: 0, then 1, 2, 4, …"""
    return min(2 ** (ends - FREE_ENDS - 1), MOST_SECONDS) if ends > FREE_ENDS else 0


def make_interface(supervisord: Any) -> Any:
    """Give supervisord's usual RPC interface: its factory is where an extension begins."""
    ended: defaultdict[str, list[float]] = defaultdict(list)

    def slow_down(event: Any) -> None:
        process, now = event.process, time.monotonic()
        name = process.config.name
        ended[name] = [at for at in ended[name] if now - at < WINDOW_SECONDS] + [now]
        if seconds := pause_seconds(len(ended[name])):
            # assigned, not changed by its method: that would tell the listener of a second end
            process.state = ProcessStates.BACKOFF
            process.backoff, process.delay = seconds, time.time() + seconds

    events.subscribe(events.ProcessStateExitedEvent, slow_down)
    return make_main_rpcinterface(supervisord)
