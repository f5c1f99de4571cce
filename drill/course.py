"""The course of a drill: a stack of its own, the drill, and what stays of it."""

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from drill import controls, disk, growth, hostile, idle, kills, outage, points, refeed, soak
from drill.namespace import NoSmallDisk, entrance
from drill.plan import Plan, Told
from drill.project import ENV_FILE, container_stack
from drill.room import small_stack
from drill.stack import LAUNCHER, OwnStack, demo_stack, own_stack, write_launcher
from drill.verdict import Count, Outcome, verdict
from pipeline.errors import LoyaltyError, UsageError
from pipeline.signals import ends_once


@dataclass(frozen=True, slots=True)
class Drill:
    """One kind of drill. components: what `--only` may name; none where it takes no `--only`.

    stack: starts the one that it needs, see own_stack. has_rate: whether it takes `--rate`. once:
    the components that are broken once, whatever `--times` says.
    """

    run: Callable[[OwnStack, Plan, Told], Outcome]
    components: tuple[str, ...] = ()
    stack: Callable[[Callable[[Path], bool]], AbstractContextManager[OwnStack]] = own_stack
    has_rate: bool = True
    once: tuple[str, ...] = ()
    in_containers: bool = False
    """Whether it breaks a stack in containers as well: it does not reach into a stage."""


DRILLS: Final[dict[str, Drill]] = {
    "kills": Drill(kills.run, kills.COMPONENTS, in_containers=True),
    "points": Drill(points.run, points.NAMES),
    "outage": Drill(outage.run, outage.COMPONENTS, in_containers=True),
    "refeed": Drill(refeed.run, refeed.COMPONENTS, has_rate=False),
    "hostile": Drill(hostile.run, has_rate=False),
    "soak": Drill(soak.run),
    "idle": Drill(idle.run, stack=demo_stack, has_rate=False),
    "growth": Drill(growth.run, has_rate=False),
    "controls": Drill(controls.run, controls.COMPONENTS, once=(controls.LAST,)),
    "disk": Drill(disk.run, disk.COMPONENTS, small_stack),
}
ALL: Final = ("kills", "points")
USUAL_RATE: Final = 500.0
"""Order lines a second, where nobody asks for another rate."""


def make_plan(
    kind: str, only: str | None, times: int | None, rate: float | None, seed: int
) -> Plan:
    """Make a drill's plan of what was asked for; None for what was not.

    Raises UsageError where `--only` names what the drill does not break, or an option is given
    that it would not heed.
    """
    drills = [DRILLS[name] for name in _names(kind, None)]
    if in_containers() and not all(drill.in_containers for drill in drills):
        names = ", ".join(name for name, drill in DRILLS.items() if drill.in_containers)
        raise UsageError(
            f"`drill {kind}` reaches into the processes of a native stack; in containers there are:"
            f" {names}."
        )
    if not _names(kind, only):
        known = dict.fromkeys(component for drill in drills for component in drill.components)
        raise UsageError(
            f"`drill {kind}` breaks no {only!r}; --only takes one of: {', '.join(known)}."
            if known
            else f"`drill {kind}` takes no --only; leave it out."
        )
    if rate is not None and not any(drill.has_rate for drill in drills):
        raise UsageError(f"`drill {kind}` takes no --rate: it has lines of its own; leave it out.")
    if times is not None and any(only in drill.once for drill in drills):
        raise UsageError(
            f"`drill {kind} --only {only}` takes no --times: it is done once; leave it out."
        )
    return Plan(only, times, USUAL_RATE if rate is None else rate, seed)


def mounts(kind: str) -> bool:
    """Tell whether a drill mounts small disks: it needs to be root, or in a namespace."""
    return any(DRILLS[name].stack is small_stack for name in _names(kind, None))


def in_containers() -> bool:
    """Tell whether `./loyalty --compose drill` has asked: the launcher says so."""
    return bool(os.environ.get("DRILL_CONTAINERS"))


def run(kind: str, asked: Plan, told: Told) -> Outcome:
    """Run one drill, or all of `all`, each on a stack of its own."""
    outcome = Outcome([], Count())
    told(f"seed {asked.seed}")
    with ends_once():
        for name in _names(kind, asked.only):
            outcome += _run_one(name, asked, told)
    return outcome


def _names(kind: str, only: str | None) -> list[str]:
    """Give the drills of a kind that break that component."""
    names = ALL if kind == "all" else (kind,)
    return [name for name in names if only is None or only in DRILLS[name].components]


def _run_one(name: str, asked: Plan, told: Told) -> Outcome:
    """Run a drill on a new stack; where it was not well, or broke off, the data stays.

    What there is to be said of a drill that broke off is a complaint: the others' results stay.
    """
    outcome: Outcome | None = None
    kept: set[Path] = set()

    def is_kept(data: Path) -> bool:
        error = sys.exc_info()[1]  # Ctrl-C is no Exception
        broke_off = isinstance(error, Exception) and not isinstance(error, NoSmallDisk)
        if broke_off or (outcome is not None and not outcome.ok):
            kept.add(data)
        return data in kept

    told(f"{name}: a stack of its own starts …")
    try:
        with (container_stack if in_containers() else DRILLS[name].stack)(is_kept) as stack:
            launcher = write_launcher(stack)
            told(f"{name}: it answers; `{entrance()}{launcher} status` looks at it")
            outcome = DRILLS[name].run(stack, asked, told)
            told(f"{name}: {verdict(outcome)}; the stack is taken down …")
    except LoyaltyError as error:
        broken = Outcome([], Count(), [f"{name}: {error}"])
        outcome = broken if outcome is None else outcome + broken
    finally:
        for folder in kept:
            told(f"{name}: {hint(folder)}")
    return outcome


def hint(folder: Path) -> str:
    """Say what can be done with a stack's folder that was kept."""
    if (folder / ENV_FILE).exists():
        return f"its volumes are kept, and their settings in {folder}; `docker volume ls` has them."
    launcher, keys = folder / LAUNCHER, sorted(folder.glob("*.tsv"))
    if not launcher.exists():
        return f"its stack did not start; the logs are in {folder}/log. Remove {folder} then."
    compares = f"; `{launcher} verify --answer-key KEY` compares it, with a KEY of {{}}"
    return (
        f"the data is kept in {folder}. `{launcher} up --empty` starts that stack again"
        f"{compares.format(', '.join(map(str, keys))) if keys else ''}; `{launcher} down` stops"
        " it; remove the folder when you are done."
    )
