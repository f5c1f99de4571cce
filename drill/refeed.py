"""`drill refeed`: the whole log fed in again, with whatever remembers it lost; nothing may change.

Old and new orders with every fault, and lines that are a year ahead, are written once. Then, in
turn: the log is copied into new files; Flume's position file and the stream's checkpoint are
deleted; the checkpoint is one that lacks half of its commits, and one of an earlier time; the
groups' offsets are deleted; the topic is made anew, without and with the log fed in again; all at
once. After each everything is compared with what it was.
"""

import shutil
import time
from pathlib import Path
from typing import Final

from drill.count import count, verify
from drill.load import Till
from drill.losses import LOSSES, Loss
from drill.plan import Plan, Told
from drill.readers import EVERYONE, Chase
from drill.stack import OwnStack
from drill.tables import differences, read_state
from drill.verdict import Count, Outcome, Row, sentence
from drill.waiting import insist
from pipeline.errors import LoyaltyError
from pipeline.places import RAW, tailed_files
from pipeline.webhdfs import Hdfs
from producer.faults import NAMES
from streaming.progress import read_progress

COMPONENTS: Final = tuple(LOSSES)
ORDERS: Final = 20_000
"""Half of them of today, half of 2019."""
AHEAD: Final = 100
FAULTS: Final = ",".join(f"{name}=0.02" for name in NAMES)
BATCHES: Final = 3
_START: Final = "2019-04-01T08:00:00Z"
_YEAR_MS: Final = 365 * 86_400_000
_PATIENCE_SECONDS: Final = 300
_AGAIN: Final = "orders-again-"


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Write the orders, and lose each thing in turn, `times` times."""
    names = (plan.only,) if plan.only else COMPONENTS
    return run_losses(stack, plan.seed, ORDERS, names * (plan.times or 1), told)


def run_losses(
    stack: OwnStack, seed: int, orders: int, names: tuple[str, ...], told: Told
) -> Outcome:
    """Write so many orders, and lose these things one after the other."""
    key = Till(stack, 1, seed).key
    write(stack, key, seed, orders)
    await_everyone(stack)
    first = Outcome([], count(stack, key))
    if not first.ok:
        raise LoyaltyError(f"Before anything was lost the count finds: {first.to_json()}")
    before, found, rows, complaints = read_state(stack), Count(), [], []
    for name in names:
        try:
            row, complaint = lose(stack, LOSSES[name])
            rows.append(row)
            complaints += complaint
            told(sentence(row))
            differs = differences(before, read_state(stack))
        except LoyaltyError as error:
            complaints.append(f"{name}: {error}")
            told(complaints[-1])
        else:
            found += Count(wrong=len(differs), differences=[f"{name}: {d}" for d in differs])
    for copy in stack.places.order_log.glob(f"{_AGAIN}*"):
        copy.unlink()  # so that the log files have what the key tells
    return Outcome(rows, found + count(stack, key), complaints)


def write(stack: OwnStack, key: Path, seed: int, orders: int) -> None:
    """Write orders of 2019 and of now with all faults, and lines that are a year ahead."""
    for start in (("--start", _START), ()):
        stack.ok("produce", "--count", str(orders // 2), "--rate", "max", "--seed", str(seed),
                 "--faults", FAULTS, "--answer-key", str(key), *start)  # fmt: skip
    at = time.time_ns() // 1_000_000 + _YEAR_MS
    ahead = [f"7|{at}|AHEAD-{seed}-{at}-{n}|1|SALE|3|latte|1|70.00|" for n in range(AHEAD)]
    stack.ok("produce", "--from", "-", stdin="\n".join(ahead) + "\n")


def lose(stack: OwnStack, loss: Loss) -> tuple[Row, list[str]]:
    """Lose it as a user would: what uses it is stopped before and started after.

    Gives the row (the lines are those that the topic has got where the log is fed in again, or HDFS
    raw where the topic is), and complaints where these are not all, or `verify` or the stack's
    state is not as it has to be.
    """
    if loss.halves:
        make_batches(stack)
    progress = read_progress(stack.places)
    read = stack.places.order_files()
    fed = _lines(_originals(stack.places.order_log) if loss.copies else read)
    held = sum(end - first for first, end in stack.topic.bounds().values())
    raw = _raw_lines(stack) if loss.rereads else 0
    begun, before = time.monotonic(), (stack.topic.id(), stack.topic.ends())
    for name in loss.stopped:
        stack.supervisor.stop(name)
    try:
        loss.do(stack)
        if loss.copies:
            feed_again(stack.places.order_log)
    finally:
        for name in reversed(loss.stopped):
            stack.supervisor.start(name)
    epoch = progress.epoch if progress and loss.new_epoch else None
    await_everyone(stack, (epoch or 0) + 1 if epoch is not None else 0)
    seconds = time.monotonic() - begun
    pid = stack.supervisor.processes()[loss.component].pid
    got = appended(before, (stack.topic.id(), stack.topic.ends()))
    reread = _raw_lines(stack) - raw if loss.rereads else 0
    row = Row(loss.component, loss.says, 0, pid, seconds, got if loss.feeds else reread)
    complaints = [*unfed(loss, fed, got), *unread(loss, held, reread)]
    return row, [*complaints, *_verify(stack, loss)]


TopicState = tuple[str, dict[int, int]]
"""A topic's id, and its ends by partition."""


def appended(before: TopicState, after: TopicState) -> int:
    """Give how many lines the topic has got, one made anew since it was."""
    (old_id, old), (new_id, new) = before, after
    return sum(new.values()) - (sum(old.values()) if new_id == old_id else 0)


def unfed(loss: Loss, fed: int, got: int) -> list[str]:
    """Complain where the log should have come into the topic again, and has not."""
    if not loss.feeds or got >= fed:
        return []
    return [f"{loss.says}: of the log's {fed:,} lines only {got:,} came into the topic"]


def unread(loss: Loss, held: int, got: int) -> list[str]:
    """Complain where the topic should have come into HDFS raw again, and has not."""
    if not loss.rereads or got >= held:
        return []
    return [f"{loss.says}: of the topic's {held:,} lines only {got:,} came into HDFS raw again"]


def _raw_lines(stack: OwnStack) -> int:
    """Count the lines of HDFS raw, each as often as it is there."""
    hdfs = Hdfs(stack.settings.webhdfs, user="flume")
    return sum(chunk.count(b"\n") for path, _ in hdfs.walk(RAW) for chunk in hdfs.chunks(path))


def make_batches(stack: OwnStack) -> None:
    """Let the stream have some batches more, of a line that it has already."""
    with _originals(stack.places.order_log)[0].open(encoding="utf-8") as file:
        line = file.readline()
    for _ in range(BATCHES):
        stack.ok("produce", "--from", "-", stdin=line)
        await_everyone(stack)


def feed_again(order_log: Path) -> None:
    """Copy every log file into another that Flume has never seen, whole at once.

    Not the copies: each time would double what there is.
    """
    for path in _originals(order_log):
        target = order_log / f"{_AGAIN}{time.time_ns()}.log"
        shutil.copyfile(path, target.with_suffix(".part"))
        target.with_suffix(".part").rename(target)


def await_everyone(stack: OwnStack, epoch: int = 0) -> None:
    """Wait until every reader has what is in the log files, the stream in that epoch or later."""
    chase = Chase(stack)

    def demand() -> None:
        _demand_epoch(stack, epoch)
        chase.check(*EVERYONE)

    insist(demand, _PATIENCE_SECONDS, f"After {_PATIENCE_SECONDS} s: {{error}}")


def _demand_epoch(stack: OwnStack, epoch: int) -> None:
    progress = read_progress(stack.places)
    if epoch and (progress is None or (progress.epoch or 0) < epoch):
        raise LoyaltyError(f"the stream has not begun its epoch {epoch}")


def _originals(order_log: Path) -> list[Path]:
    return [p for p in tailed_files(order_log) if not p.name.startswith(_AGAIN)]


def _lines(files: list[Path]) -> int:
    return sum(path.read_bytes().count(b"\n") for path in files)


def _verify(stack: OwnStack, loss: Loss) -> list[str]:
    try:
        _, says = verify(stack)
    except LoyaltyError as error:
        says = [str(error)]
    return [f"{loss.says}: verify says: {said}" for said in says]
