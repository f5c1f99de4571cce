"""`python -m drill.lack NAME MODULE [ARGUMENTS]`: a module without one of its safeties.

For the negative controls: with a safety taken away the drill has to fail. As with the points, a
function at a module's boundary is replaced from outside before the module runs as its own main.
"""

import os
import runpy
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

from drill.point import find
from pipeline.webhdfs import Hdfs

TORN: Final = "drill-torn"
"""The staging folder's file that names what a stream without staging left torn."""


def _compare_with_nothing(_writer: Any, good: Any) -> Any:
    """Read nothing of what is stored."""
    from streaming.identities import COMPARED

    return good.slice(0, 0).select(COMPARED)


def _write_straight(hdfs: Hdfs, staging: str, record: Any, contents: Iterable[bytes]) -> None:
    """Write a batch's files into their places, with no record; die in the middle of the last."""
    *whole, last = zip(record.moves, contents, strict=True)
    for move, content in whole:
        hdfs.write(move.target, content)
    move, content = last
    hdfs.write(f"{staging}/{TORN}", move.target.encode())
    hdfs.write(move.target, content[: len(content) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def _recover_nothing(_hdfs: Any, _tool: Any, _places: Any) -> list[str]:
    """Leave open what the last agent left open."""
    return []


LACKS: Final[dict[str, tuple[str, Callable[..., Any]]]] = {
    "comparison": ("streaming.batches:BatchWriter._stored", _compare_with_nothing),
    "staging": ("streaming.staging:stage", _write_straight),
    "recovery": ("flume.recovery:recover", _recover_nothing),
}
"""By the safety that is taken away: what is replaced (MODULE:NAME), and by what."""


def main() -> None:
    """Take the safety away and become the module."""
    name, module, *arguments = sys.argv[1:]
    target, replacement = LACKS[name]
    owner, attribute = find(target)
    setattr(owner, attribute, replacement)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
