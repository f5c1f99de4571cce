"""Servers that exist already and are used instead of our own: asked, never started or ended."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from cluster.patient import stretch
from cluster.readiness import ask_hdfs, ask_hive, ask_kafka, ask_thrift
from cluster.startup import NEVER, NOT_READY
from cluster.vitals import STARTING_LOAD, load
from pipeline.addresses import parse_all
from pipeline.errors import Refused, Unavailable
from pipeline.settings import Settings
from pipeline.variables import GIVEN, variable_of

PATIENCE_SECONDS: Final = 10
"""How long a given server may take to answer `up`, five times as long on a busy machine: it is not
waited for like one that is just starting."""
MAKE_SECONDS: Final = 60
"""How long it may take to make what we need there, stretched likewise."""

Answer = TypeVar("Answer")


def _ask_port(addresses: str) -> None:
    """Somebody listens at one of the addresses: the rest of its protocol is for Java only."""
    for at, address in enumerate(found := parse_all(addresses), 1):
        try:
            socket.create_connection(address, timeout=4).close()
        except OSError:
            if at == len(found):
                raise
        else:
            return


QUESTIONS: Final[dict[str, Callable[[Settings], None]]] = {
    "given_kafka": ask_kafka,
    "given_hdfs": lambda settings: _ask_port(settings.given_hdfs),
    "given_webhdfs": ask_hdfs,
    "given_hbase": ask_thrift,
    "given_zookeeper": lambda settings: _ask_port(settings.given_zookeeper),
    "given_hive": ask_hive,
}
"""What a server can answer before it has any of our tables."""


def ask_given(settings: Settings, patience: float = PATIENCE_SECONDS) -> None:
    """Ask every given server, side by side; raises Unavailable that names all who do not answer."""
    asked = [
        field for field in QUESTIONS if field.removeprefix(GIVEN) in settings.given
        or (field == "given_webhdfs" and "hdfs" in settings.given)
        or (field == "given_zookeeper" and "hbase" in settings.given)
    ]  # fmt: skip

    def ask(field: str) -> str:
        try:
            wait_for_given(field, settings, lambda: QUESTIONS[field](settings), patience)
        except Unavailable as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(max_workers=len(QUESTIONS), thread_name_prefix="given") as pool:
        if silent := [sentence for sentence in pool.map(ask, asked) if sentence]:
            raise Unavailable("\n  ".join(silent))


def wait_for_given(
    field: str,
    settings: Settings,
    question: Callable[[], Answer],
    patience: float = MAKE_SECONDS,
    halt: threading.Event = NEVER,
) -> Answer:
    """Ask a given server until it answers, and give that; field: the setting that names it.

    Raises Unavailable when the patience is over, and Refused at once: it will not change its mind.
    """
    end = time.monotonic() + patience * stretch(load(), STARTING_LOAD)
    while True:
        try:
            return question()
        except Refused:
            raise
        except NOT_READY as error:
            if time.monotonic() > end or halt.wait(0.5):
                # what follows the semicolon of our own sentences is the next step with our servers
                reason = str(error).partition(";")[0].rstrip(".") or type(error).__name__
                if "Permission denied" in reason:
                    raise Refused(
                        f"{variable_of(field)}={getattr(settings, field)}: {reason}. "
                        "Set LOYALTY_HDFS_SUPERUSER to the user who may."
                    ) from error
                raise Unavailable(
                    f"{variable_of(field)}={getattr(settings, field)} does not answer: {reason}. "
                    "Start that server, correct the address, or remove the setting."
                ) from error
