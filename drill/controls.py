"""`drill controls`: with one safety taken away the count has to fail, or it proves nothing.

Each control has a till, and so a key, of its own: only what became of its own lines counts. They
all run on one stack; each is put right before the next one, and counted again, but for the last.
"""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from cluster.readiness import QUESTIONS
from drill.count import NO_COUNT, count
from drill.crippled import (
    answer,
    await_readers,
    crippled,
    demand_end,
    epoch_of,
    has_said,
    restart_flume,
    unacknowledged,
)
from drill.lack import TORN
from drill.load import Till, even_out
from drill.plan import Plan, Told
from drill.readers import EVERYONE
from drill.stack import OwnStack
from drill.verdict import Count, Outcome, Row
from pipeline.errors import LoyaltyError
from pipeline.places import STAGING
from pipeline.topic import GROUPS, has_reached
from pipeline.webhdfs import Hdfs
from streaming.progress import read_progress

FAULTS: Final = "duplicate=0.02,malformed=0.02,late-minutes=0.01,late-days=0.01"
"""No conflicts: of two lines the first counts, and one that was lost for a time comes second."""
LOAD_SECONDS: Final = 10
"""How long a till writes before, and after, something is broken."""
STALL_SECONDS: Final = 15
"""How long verify may wait for a store that will never have all."""
HANGS_SECONDS: Final = 2
TRIES: Final = 3
"""Without an acknowledgement lines are lost when Kafka dies at a bad moment."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a control works with."""

    stack: OwnStack
    till: Till

    def judge(self) -> Count:
        """Count the till's lines."""
        self.till.stop()
        return count(self.stack, self.till.key, self.till.ends, wait=STALL_SECONDS)


@dataclass(frozen=True, slots=True)
class Control:
    """One safety. component: whose it is. break_it: breaks it, counts, and puts it right.

    What the count must find, or nothing was proven: lines of that kind (`lost`, `duplicated`), or
    for each of these patterns a sentence in which it is.
    """

    component: str
    break_it: Callable[[Bench], Count]
    lines: str = ""
    patterns: tuple[str, ...] = ()


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Take one safety after another away; complains where the count does not notice."""
    rows: list[Row] = []
    complaints: list[str] = []
    lines = 0
    for name in plan.each(turns(plan.only, plan.times or 1)):
        bench = Bench(stack, Till(stack, plan.rate, plan.seed + len(rows), FAULTS))
        begun = time.monotonic()
        try:
            says, faults = _take_away(bench, name)
        except LoyaltyError as error:
            says, faults = "", [f"without {name}: {error}"]
        lines += bench.till.written()
        complaints += faults
        told(f"without {name}: {says or 'the count found nothing'}")
        done = f"without {name}: {says[:200]}"
        rows.append(Row(CONTROLS[name].component, done, 0, 0, time.monotonic() - begun,
                        bench.till.written()))  # fmt: skip
    return Outcome(rows, Count(lines), complaints)


def turns(only: str | None, times: int) -> list[str]:
    """Give the safeties in turn, each so often; the last one once: it leaves doubled lines."""
    wanted = [name for name in CONTROLS if only in {None, name}]
    return [name for name in wanted for _ in range(1 if name == LAST else times)]


def _take_away(bench: Bench, name: str) -> tuple[str, list[str]]:
    """Take one safety away; gives what the count found, and complaints."""
    try:
        bench.till.start()
        found = CONTROLS[name].break_it(bench)
        even_out(bench.till)
    finally:
        bench.till.stop()
    complaints = [f"without {name} {fault}" for fault in faults(CONTROLS[name], found)]
    if complaint := bench.till.complaint():
        complaints.append(f"without {name} {complaint}")
    if name != LAST and (left := _text(count(bench.stack, bench.till.key, bench.till.ends))):
        complaints.append(f"with {name} back the count still finds {left}")
    return _text(found), complaints


def faults(control: Control, found: Count) -> list[str]:
    """Complain where the count does not find what it must, or could not be made."""
    if control.patterns:
        lacking = [p for p in control.patterns if not _is_said(p, found)]
        if not lacking:
            return []
        wanted = f"what it must: {', '.join(map(repr, lacking))}"
    else:
        if failed := [said for said in found.differences if said.startswith(NO_COUNT)]:
            return failed
        if getattr(found, control.lines) > 0:
            return []
        wanted = f"lines that were {control.lines}"
    return [f"the count does not find {wanted}; it found {_text(found) or 'nothing'}"]


def _is_said(pattern: str, found: Count) -> bool:
    return any(re.search(pattern, said) for said in found.differences)


def _text(found: Count) -> str:
    """Say what was found; empty for nothing."""
    numbers = {"lost": found.lost, "duplicated": found.duplicated, "wrong": found.wrong}
    counted = ", ".join(f"{number:,} {name}" for name, number in numbers.items() if number)
    # what a command said ends with why it failed
    reasons = [said.splitlines()[-1] for said in found.differences[:2]]
    return "; ".join(filter(None, [counted, *reasons]))


def without_recovery(bench: Bench) -> Count:
    """Flume and the DataNode die, and nobody recovers the files that were left open."""
    stack = bench.stack
    stack.supervisor.stop("flume")
    with crippled(stack, "flume", "recovery") as agent:
        bench.till.write_on(LOAD_SECONDS)
        await_readers(stack, *GROUPS)
        agent.kill()
        agent.wait()
    os.kill(stack.supervisor.processes()["datanode"].pid, signal.SIGKILL)
    with crippled(stack, "flume", "recovery"):
        answer(lambda: QUESTIONS["datanode"](stack.settings))
        answer(lambda: QUESTIONS["hbase"](stack.settings))
        even_out(bench.till)
        bench.till.stop()
        await_readers(stack, *GROUPS)
        found = bench.judge()
    stack.supervisor.start("flume")
    await_readers(stack, *EVERYONE)
    return found


def without_staging(bench: Bench) -> Count:
    """The stream writes straight into the tables, and dies in the middle of a file."""
    stack = bench.stack
    hdfs = Hdfs(stack.settings.webhdfs, user="spark")
    stack.supervisor.stop("streaming")
    with crippled(stack, "streaming", "staging") as stream:
        answer(lambda: demand_end(stream))
    torn = hdfs.read(f"{STAGING}/{TORN}").decode()
    log = stack.places.logs / "streaming.log"
    before = log.stat().st_size
    stack.supervisor.start("streaming")
    said = []
    with suppress(LoyaltyError):  # without it the torn file is not what stops the stream
        answer(lambda: has_said(log, before, _TORN_SAYS))
        said = [f"the stream's log says {_TORN_SAYS}"]
    found = bench.judge()
    found = replace(found, differences=[*found.differences, *said])
    hdfs.delete(torn)
    hdfs.delete(f"{STAGING}/{TORN}")
    await_readers(stack, *EVERYONE)
    return found


def without_acknowledgement(bench: Bench) -> Count:
    """Flume takes lines for delivered that it has only sent; Kafka hangs, then dies."""
    stack = bench.stack
    conf = stack.places.conf / "flume" / "flume.conf"
    try:
        with unacknowledged(conf):
            restart_flume(stack)
            for _ in range(TRIES):
                bench.till.write_on(LOAD_SECONDS)
                kafka = stack.supervisor.processes()["kafka"].pid
                os.kill(kafka, signal.SIGSTOP)
                time.sleep(HANGS_SECONDS)
                os.kill(kafka, signal.SIGKILL)
                answer(lambda: QUESTIONS["kafka"](stack.settings))
            even_out(bench.till)
            bench.till.stop()
            await_readers(stack, *EVERYONE)
            found = bench.judge()
    finally:
        stack.supervisor.stop("flume")
        # everything is read again: so the lost lines come back
        stack.places.positions.unlink(missing_ok=True)
        stack.supervisor.start("flume")
    await_readers(stack, *EVERYONE)
    return found


def without_comparison(bench: Bench) -> Count:
    """The checkpoint is gone, and the stream does not look at what is stored: all is doubled."""
    stack = bench.stack
    bench.till.write_on(LOAD_SECONDS)
    even_out(bench.till)
    bench.till.stop()
    await_readers(stack, *EVERYONE)
    stack.supervisor.stop("streaming")
    shutil.rmtree(stack.places.checkpoint)
    before, ends = epoch_of(stack), stack.topic.ends()

    def has_read_again() -> None:
        progress = read_progress(stack.places)
        if epoch_of(stack) == before or not progress or not has_reached(progress.offsets, ends):
            raise LoyaltyError("the stream has not read the whole topic again")

    with crippled(stack, "streaming", "comparison"):
        answer(has_read_again)
    stack.supervisor.start("streaming")
    return bench.judge()


_TORN_SAYS: Final = "is no whole Parquet file"
"""What the stream's log has when it has read the torn file."""
CONTROLS: Final = {
    "recovery": Control("flume", without_recovery, patterns=("Cannot obtain block length",)),
    "staging": Control("streaming", without_staging, patterns=(
        _TORN_SAYS, r"transactions_cln has [1-9][0-9,]* lines to go")),
    "acknowledgement": Control("flume", without_acknowledgement, lines="lost"),
    "comparison": Control("streaming", without_comparison, lines="duplicated"),
}  # fmt: skip
"""By what is taken away; the last one leaves its stack with doubled lines."""
LAST: Final = "comparison"
COMPONENTS: Final = tuple(CONTROLS)
"""What `--only` may name."""
