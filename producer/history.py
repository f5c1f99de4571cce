"""The demo's past: thirty days of orders that its first start writes into the order log.

They go down the same path as any order. What they are is settled by a plan in the data folder
before the first of them is written: whoever is killed meanwhile goes on with the same lines, and
leaves out those that the log has.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pipeline.document import replace_document
from pipeline.errors import Refused
from pipeline.places import Places
from pipeline.programme import MenuItem
from producer.log import now_ms
from producer.members import Member
from producer.orders import Till, seeded_run
from producer.shape import RUSH_HOUR, RushHour
from producer.traffic import SHAPES

DAYS: Final = 30
DEFAULT: Final = 3000
"""Orders: a hundred a day, for eight stores."""
HISTORY: Final = "history-"
"""Order ids of the history begin with this."""
_DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How many orders, in the thirty days before `until_ms` (epoch ms), drawn from which seed.

    is_taken: every reader of the topic has had them.
    """

    orders: int
    until_ms: int
    seed: int
    is_taken: bool = False


def plan_file(places: Places) -> Path:
    """Where the plan is kept."""
    return places.producer / "history.json"


def read_plan(places: Places) -> Plan | None:
    """Read the plan, None where there is none; raises Refused where it is damaged."""
    path = plan_file(places)
    try:
        return Plan(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise Refused(
            f"{path} is damaged; restore it, or begin anew with another LOYALTY_DATA."
        ) from error


def make_plan(places: Places, orders: int) -> Plan:
    """Settle a history of so many orders up to now; none are taken at once."""
    plan = Plan(orders, now_ms(), secrets.randbits(32), is_taken=not orders)
    replace_document(plan_file(places), asdict(plan))
    return plan


def mark_taken(places: Places, plan: Plan) -> None:
    """Write down that nothing is left to do for it."""
    replace_document(plan_file(places), asdict(replace(plan, is_taken=True)))


def history(
    plan: Plan, members: Sequence[Member], menu: Sequence[MenuItem], zone: ZoneInfo
) -> Iterator[bytes]:
    """Give the lines of a plan, each with its end, in the order of time; always the same ones."""
    digest = seeded_run(plan.orders, plan.until_ms, plan.seed, members, menu).rpartition("-")[2]
    till = Till(members, menu, f"{HISTORY}{digest}", str(plan.seed), SHAPES[RUSH_HOUR])
    for instant in instants(plan, zone):
        yield from till.receipt(instant).encode().splitlines(keepends=True)


def instants(plan: Plan, zone: ZoneInfo) -> Iterator[int]:
    """Give the instants (epoch ms) of its orders, in a rush-hour shape; all before `until_ms`."""
    clock = RushHour(zone)
    end = plan.until_ms * 1_000_000
    start = end - DAYS * _DAY_NS
    first, last = clock.mean(start), clock.mean(end)
    for number in range(plan.orders):
        mean = first + (2 * number + 1) * (last - first) // (2 * plan.orders)
        yield clock.real(mean) // 1_000_000


def write_history(
    lines: Iterable[bytes], files: Iterable[Path], write: Callable[[bytes], object]
) -> int:
    """Write those lines that none of the order log's files has; gives their number."""
    there: set[bytes] = set()
    for path in files:
        with path.open("rb") as file:
            there.update(line for line in file if HISTORY.encode() in line)
    written = 0
    for line in lines:
        if line not in there:
            write(line)
            written += 1
    return written
