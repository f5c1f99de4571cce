"""`python -m drill.point NAME MARK MODULE [ARGUMENTS]`: a module that dies at a chosen moment.

The product has no fault points: here one of its functions, at a module's boundary, is replaced from
outside before the module runs as its own main. The mark, a file with the pid, is written just
before the process kills itself; without it the moment has not come.
"""

import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any, Final, Literal

from pipeline.places import CUSTOMERS, LOYALTY, QUARANTINE, STAGING, TRANSACTIONS

Test = Callable[..., bool]
"""Is given the arguments of a call; tells whether it is the one."""


@dataclass(frozen=True, slots=True)
class Point:
    """A moment: before or after a call of `target` (MODULE:NAME) that `where` is true of.

    job: dies in the Spark job that the command starts, and not in the command. settings: constants
    (MODULE:NAME) that are other ones there, so that the moment comes soon.
    """

    moment: Literal["before", "after"]
    target: str
    where: Test = lambda *_arguments: True
    job: bool = False
    settings: dict[str, object] = field(default_factory=dict)


def _renamed(source: str, target: str) -> Test:
    """Tell a rename on HDFS by patterns of its two paths."""
    return lambda _hdfs, old, new: bool(re.search(source, old) and re.fullmatch(target, new))


def _not_last(move: Test) -> Test:
    """Tell such a rename of a file beside which another one waits: more moves have to come."""
    return lambda hdfs, old, new: (
        move(hdfs, old, new) and waits_beside(old, hdfs.names(old.rpartition("/")[0]))
    )


def waits_beside(path: str, names: list[str]) -> bool:
    """Tell whether a staged file's folder, by its names, holds another data file."""
    return any(n.endswith(".parquet") and n != path.rpartition("/")[2] for n in names)


def _said(pattern: str) -> Test:
    """Tell a statement to Hive by a pattern of its beginning."""
    return lambda _session, statement, *_more: bool(re.match(pattern, statement))


_RENAME: Final = "pipeline.webhdfs:Hdfs.rename"
_STATEMENT: Final = "hive.session:Session.run"
_COMPLETE: Final = _renamed(r"\.tmp$", rf"{STAGING}/[0-9-]+")
_MOVE: Final = _renamed(f"^{STAGING}/", rf"(?:{TRANSACTIONS}|{QUARANTINE})/.*\.parquet")
_MERGED: Final = _renamed("", rf"{TRANSACTIONS}/.*/g=\d+")
_MERGE_SOON: Final[dict[str, object]] = {"streaming.merging:OPEN_FILES": 2}
_LOADED: Final = _renamed("", rf"{CUSTOMERS}/g=\d+")
_SNAPSHOT: Final = _renamed("", rf"{LOYALTY}/.*/g=\d+")
_SWITCH: Final = _said(r"ALTER TABLE \S*transactions_cln PARTITION .* SET LOCATION")

POINTS: Final[dict[str, Point]] = {
    "staged": Point("before", _RENAME, _COMPLETE),
    "between-moves": Point("after", _RENAME, _not_last(_MOVE)),
    "moved": Point("after", "streaming.batches:BatchWriter.write"),
    "merge-staged": Point("before", _RENAME, _MERGED, settings=_MERGE_SOON),
    "merge-entered": Point("after", _RENAME, _MERGED, settings=_MERGE_SOON),
    "switch-pending": Point("before", _STATEMENT, _SWITCH, settings=_MERGE_SOON),
    "switch-unread": Point("after", _STATEMENT, _SWITCH, settings=_MERGE_SOON),
    "load-staged": Point("before", _RENAME, _LOADED, job=True),
    "load-entered": Point("after", _RENAME, _LOADED, job=True),
    "load-unread": Point("after", _STATEMENT, _said("ALTER TABLE customers_cln SET LOCATION")),
    "refresh-staged": Point("before", _RENAME, _SNAPSHOT),
    "refresh-entered": Point("after", _RENAME, _SNAPSHOT),
    "refresh-unread": Point(
        "after", _STATEMENT, _said("ALTER TABLE loyalty PARTITION .* SET LOCATION")
    ),
}


def arm(point: Point, die: Callable[[], None]) -> None:
    """Replace the point's function by one that dies at the moment; set its settings."""
    for constant, value in point.settings.items():
        owner, name = find(constant)
        setattr(owner, name, value)
    owner, name = find(point.target)
    real = getattr(owner, name)
    alone = Lock()

    @wraps(real)
    def doomed(*arguments: Any, **options: Any) -> Any:
        with alone:  # of several at once the first is the last
            if point.where(*arguments):
                if point.moment == "after":
                    real(*arguments, **options)
                die()
                raise AssertionError(point)
        return real(*arguments, **options)

    setattr(owner, name, doomed)


def arm_job(name: str, mark: str) -> None:
    """Let the Spark job that this process starts be the one that dies."""

    def start(command: list[str], **options: Any) -> subprocess.Popen[str]:
        python, _m, *rest = command
        return subprocess.Popen([python, "-m", "drill.point", name, mark, *rest], **options)

    owner, attribute = find("batch.process:subprocess")
    setattr(owner, attribute, SimpleNamespace(Popen=start, PIPE=subprocess.PIPE))


def leave(mark: Path) -> None:
    """Write the mark and kill this very process."""
    mark.write_text(str(os.getpid()), encoding="ascii")
    os.kill(os.getpid(), signal.SIGKILL)


def find(target: str) -> tuple[Any, str]:
    """Give what holds MODULE:NAME.NAME, and the last name."""
    module, _, path = target.partition(":")
    owner: Any = import_module(module)
    *outer, last = path.split(".")
    for name in outer:
        owner = getattr(owner, name)
    getattr(owner, last)
    return owner, last


def main() -> None:
    """Arm the point and become the module."""
    name, mark, module, *arguments = sys.argv[1:]
    point = POINTS[name]
    if point.job and module != "batch":
        arm_job(name, mark)
    else:
        arm(point, lambda: leave(Path(mark)))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
