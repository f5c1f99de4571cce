"""A pipe between a command and its job: the job ends with the command, however that ends.

The command alone holds the writing end, which the kernel closes with its process; the job reads.
Its JVM ends in the same way, by a pipe from the job.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread


@contextmanager
def held() -> Iterator[int]:
    """Give what is to be the job's standard input, held open while the body runs."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(reading)
        os.close(writing)


def end_with_parent() -> None:
    """End this process at once, with exit code 1, when its standard input ends."""
    Thread(target=_end, name="lifeline", daemon=True).start()


def _end() -> None:
    # not sys.stdin: its lock, held by a daemon thread, would abort the interpreter's own end
    os.read(0, 1)
    os._exit(1)
