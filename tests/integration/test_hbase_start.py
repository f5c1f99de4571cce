"""An HBase that gives up its start while the DataNode is away, and whose process lives on."""

import os
import signal

from cluster.asking import HasEnded
from cluster.regionserver import ask_regionserver
from cluster.startup import NOT_READY
from cluster.supervision import Supervisor
from drill.stack import OwnStack
from pipeline.settings import Settings
from tests.integration.observation import components, pids
from tests.waiting import wait_until


def has_ended(settings: Settings) -> bool:
    try:
        ask_regionserver(settings)
    except HasEnded:
        return True
    except NOT_READY:
        return False
    return False


def test_it_is_killed_at_once_and_answers_again(broken_stack: OwnStack) -> None:
    settings, supervisor = broken_stack.settings, Supervisor(broken_stack.places)
    supervisor.stop("datanode")
    try:
        os.kill(pids(broken_stack)["hbase"], signal.SIGKILL)
        # it dies of the missing DataNode, ends by itself, and comes to a stand in a later start
        wait_until("its master has ended and its process lives",
                   lambda: has_ended(settings) and stands(broken_stack), seconds=120)  # fmt: skip
        pid = pids(broken_stack)["hbase"]
    finally:
        supervisor.start("datanode")
    # at most a round of 10 s, one of 5, and the DataNode's own start
    wait_until("it is killed", lambda: pids(broken_stack)["hbase"] not in {0, pid}, seconds=120)
    assert "has ended, its process lives on" in components(broken_stack)["hbase"]["reason"]
    wait_until("HBase answers", lambda: components(broken_stack)["hbase"]["state"] == "answering",
               seconds=150)  # fmt: skip


def stands(stack: OwnStack) -> bool:
    """Tell whether HBase's process lives, and still does when its end has been seen."""
    pid = pids(stack)["hbase"]
    return bool(pid) and has_ended(stack.settings) and pids(stack)["hbase"] == pid
