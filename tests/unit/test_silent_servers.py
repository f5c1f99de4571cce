"""A server that takes a connection and never answers holds nobody up who asks it."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from cluster.asking import Late, ask_together
from cluster.movement import flume_state, stream_state
from cluster.readiness import QUESTIONS, ask_thrift
from cluster.regionserver import ask_regionserver
from drill.stack import describe

PORTS = ("kafka_port", "namenode_http_port", "thrift_port", "metastore_port", "hiveserver2_port",
         "hbase_regionserver_port", "hbase_master_port")  # fmt: skip
MOST_SECONDS = 60
"""Far more than any of them may wait, and less than for ever."""


def test_each_question_ends_without_an_answer(tmp_path: Path) -> None:
    with ExitStack() as exits:
        silent = {
            port: str(exits.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1])
            for port in PORTS
        }
        settings = describe(tmp_path, **silent).settings
        questions: dict[str, Callable[[], object]] = {
            name: partial(ask, settings) for name, ask in QUESTIONS.items()
        }
        questions |= {
            "thrift alone": partial(ask_thrift, settings),
            "region server": partial(ask_regionserver, settings),
            "flume": lambda: flume_state(settings, lambda _said: None),
            "streaming": lambda: stream_state(settings),
        }
        found = ask_together(questions, MOST_SECONDS)
    answered = {name for name, answer in found.items() if not isinstance(answer, Exception)}
    hanging = {name for name, answer in found.items() if isinstance(answer, Late)}
    assert (answered, hanging) == (set(), set())
