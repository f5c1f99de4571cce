"""`drill disk`: the disk is full under the log files, under Kafka, under HDFS, and has room again.

A till with a key writes meanwhile, and another one that, as its contract says, takes a torn line
back and waits for room with that very line. Nobody is started again by hand, but for the keyed
till, whose command ends with a sentence when it has no room.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from drill.count import count, judged
from drill.load import LOG, Till, shortfall
from drill.patient_till import PatientTill
from drill.plan import Plan, Told
from drill.readers import EVERYONE, Chase
from drill.room import Ballast
from drill.stack import OwnStack
from drill.verdict import Outcome, Row, sentence
from drill.waiting import insist
from pipeline.errors import LoyaltyError

COMPONENTS: Final = ("orders-log", "kafka", "hdfs")
"""Folders of the data folder, each a small disk."""
OWN: Final = "orders-log"
"""The disk of the tills themselves."""
FULL_SECONDS: Final = 30
CALM_SECONDS: Final = 5
"""How long everybody writes before a disk is full."""
PATIENCE_SECONDS: Final = 300
"""How long everybody may take to go on and catch up, and `status` to say what it has to."""


def run(stack: OwnStack, plan: Plan, told: Told) -> Outcome:
    """Fill each disk in turn, `times` times each, under load; then count."""
    names = (plan.only,) if plan.only else COMPONENTS
    rows: list[Row] = []
    complaints: list[str] = []
    till = Till(stack, plan.rate, plan.seed)
    pace = Pace(till)
    with PatientTill(stack) as patient:
        till.start()
        try:
            for name in plan.each(names * (plan.times or 1)):
                try:
                    row, complaint = fill(stack, pace, patient, name)
                except LoyaltyError as error:
                    complaints.append(f"{name}: {error}")
                    told(complaints[-1])
                    continue
                rows.append(row)
                complaints += complaint
                told(sentence(row))
            complaints += ended_by_itself(till, "at the end")
        finally:
            till.stop()
    complaints += torn(stack)
    if missed := shortfall(pace.lines_per_second(), plan.rate):
        complaints.append(f"while there was room {missed}")
    counted = count(stack, till.key, till.ends) + judged(patient.count)
    return Outcome(rows, counted, complaints, pace.lines_per_second())


@dataclass
class Pace:
    """What a till writes while there is room for it: a full disk may stop it, but nothing else."""

    till: Till
    seconds: float = 0
    lines: int = 0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Take down what it writes meanwhile."""
        begun, before = time.monotonic(), self.till.written()
        yield
        self.seconds += time.monotonic() - begun
        self.lines += self.till.written() - before

    def lines_per_second(self) -> float:
        """Give the rate of all that was measured."""
        return self.lines / self.seconds if self.seconds else 0.0


def fill(stack: OwnStack, pace: Pace, patient: PatientTill, name: str) -> tuple[Row, list[str]]:
    """Fill one disk, keep it full for a while, give the room back, and wait for everybody.

    The row's seconds count from then, until each reader has what was in the log files then. The
    keyed till may end only where its own disk is full, and the patient one has to wait there.
    """
    till = pace.till
    complaints = ended_by_itself(till, f"before {name} was full")
    if complaints:
        till.start()
    with pace.measured():
        till.write_on(CALM_SECONDS)
    written, waits = till.written(), patient.waits
    complaints += _keep_full(stack, name)
    begun = time.monotonic()
    if name == OWN and patient.waits == waits:
        complaints.append(f"{name} was full, and the patient till has not waited for room")
    if name != OWN:
        complaints += ended_by_itself(till, f"while {name} was full")
    if not till.pid:
        till.start()
    with pace.measured():
        if error := _await_everyone(stack, begun):
            complaints.append(f"{name}: {error}")
        took = time.monotonic() - begun
        complaints += _await_health(stack, name)
    return Row(name, f"disk full for {FULL_SECONDS} s", 0, 0, took, till.written() - written), (
        complaints
    )


def ended_by_itself(till: Till, when: str) -> list[str]:
    """Complain of a till that does not write any more."""
    return [] if till.pid else [f"the till ended by itself {when}; see {LOG} among the logs"]


def _keep_full(stack: OwnStack, name: str) -> list[str]:
    ballast = Ballast(stack.places.data / name)
    ballast.fill()
    try:
        complaints = _demand_sentence(stack, name)
        end = time.monotonic() + FULL_SECONDS
        while time.monotonic() < end:
            ballast.fill()  # what a server gives back is taken again
            time.sleep(1)
    finally:
        ballast.remove()
    return complaints


def torn(stack: OwnStack) -> list[str]:
    """Complain of log files that end in a torn line, when no till writes."""
    return [
        f"{path.name} ends in a torn line"
        for path in stack.places.order_files()
        if path.stat().st_size and not path.read_bytes().endswith(b"\n")
    ]


def _await_everyone(stack: OwnStack, begun: float) -> str:
    chase, left = Chase(stack), PATIENCE_SECONDS - (time.monotonic() - begun)
    try:
        insist(lambda: chase.check(*EVERYONE), left)
    except LoyaltyError as error:
        return f"{PATIENCE_SECONDS} s after there was room again: {error}"
    return ""


def _demand_sentence(stack: OwnStack, name: str) -> list[str]:
    """Demand that `status` names the folder, and calls the stack unhealthy."""
    document = _status(stack)
    folder = str(stack.places.data / name)
    if document["healthy"] or not any(folder in said for said in document["full_disks"]):
        return [f"`status` does not say that {folder} is full"]
    return []


def _await_health(stack: OwnStack, name: str) -> list[str]:
    def demand() -> None:
        if not (document := _status(stack))["healthy"]:
            bad = [c["name"] for c in document["components"] if c["wanted"]
                   and c["state"] not in {"answering", "running"}]  # fmt: skip
            raise LoyaltyError(f"not healthy again ({', '.join(bad + document['full_disks'])})")

    try:
        insist(demand, PATIENCE_SECONDS, every=1)
    except LoyaltyError as error:
        return [f"{name}: {error}"]
    return []


def _status(stack: OwnStack) -> dict[str, Any]:
    found: dict[str, Any] = stack.answer("status")
    return found
