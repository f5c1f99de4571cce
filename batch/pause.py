"""A stage that stands while its table is repaired, and goes on at the end, whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

from cluster.supervision import Supervisor
from pipeline.signals import ends_once

_ALIVE: Final = ("RUNNING", "STARTING", "BACKOFF")


@contextmanager
def paused(supervisor: Supervisor, name: str) -> Iterator[bool]:
    """Stop a component while the body runs; tells whether it ran. One that did not stays so.

    SIGTERM, SIGHUP and Ctrl-C end the body like an error, so that the component goes on then too,
    and a second one is ignored meanwhile; after a SIGKILL the watcher starts it.
    """
    process = supervisor.processes().get(name)
    ran = process is not None and process.state in _ALIVE
    with supervisor.held(name) if ran else nullcontext(), ends_once() as ignore:
        try:
            try:
                if ran:
                    supervisor.stop(name)
                yield ran
            finally:
                ignore()
        finally:
            if ran:
                supervisor.start(name)
