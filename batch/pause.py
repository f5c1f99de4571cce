"""A stage that stands while its table is repaired, and goes on at the end, whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager

from cluster.supervision import STANDS, Supervisor
from pipeline.errors import Refused
from pipeline.signals import ends_once


@contextmanager
def paused(supervisor: Supervisor, name: str) -> Iterator[bool]:
    """Stop a component while the body runs; tells whether it ran. One that did not stays so.

    SIGTERM, SIGHUP and Ctrl-C end the body like an error, so that the component goes on then too,
    and a second one is ignored meanwhile; after a SIGKILL the watcher starts it. Raises Refused
    where supervisord is not there: what it has left behind may run, and would not stand.
    """
    with supervisor.held(name) as was_left, ends_once() as ignore:
        process = supervisor.processes().get(name)
        if process is None:
            raise Refused(
                f"Nobody looks after {name}, so nobody can say whether it runs; `./loyalty up`"
                " first."
            )
        ran = was_left or process.state not in STANDS
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
