"""The count at the end of a drill: by `verify` with the till's key, and by the oracle in Hive."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from drill.oracle import Answer, compare, expect, statements
from drill.stack import OwnStack
from drill.verdict import Count
from drill.waiting import SETTLE_SECONDS, settle
from pipeline.errors import LoyaltyError

WAIT_SECONDS: Final = 300
"""How long the hops may take to what was written last."""
COMPARE_SECONDS: Final = 900
"""How long the comparison of some million lines may take beyond that."""
NO_COUNT: Final = "no count could be made"
"""How the difference begins that stands for a judge's whole count."""


def count(stack: OwnStack, key: Path, ends: int = 1, wait: float = WAIT_SECONDS) -> Count:
    """Count the lines that were lost, duplicated or made wrong; the till must stand.

    ends: how often the till has ended, each time perhaps between a line and its row of the key.
    wait: seconds that the hops may take. Where no count can be made, that is a difference. Both
    judges count the same lines, so the higher number of the two counts.
    """
    ours = judged(lambda: _verify(stack, key, wait))
    # what is known to differ is no pending switch, which Hive would show after a while
    patience = 0 if ours.differences else min(wait, SETTLE_SECONDS)
    hives = judged(lambda: settle(lambda: _ask_hive(stack, key, ends), patience))
    return Count(
        max(ours.lines, hives.lines), max(ours.lost, hives.lost),
        max(ours.duplicated, hives.duplicated), max(ours.wrong, hives.wrong),
        ours.differences + hives.differences,
    )  # fmt: skip


def verify(stack: OwnStack, *arguments: str, wait: float = WAIT_SECONDS) -> tuple[Any, list[str]]:
    """Run `verify`, which waits for the hops; give its object, and what differs as sentences.

    Raises LoyaltyError where it compares nothing.
    """
    found = stack.answer(
        "verify", "--wait", "--timeout", str(wait), *arguments,
        timeout=WAIT_SECONDS + COMPARE_SECONDS,
    )  # fmt: skip
    says = [difference["says"] for difference in found["differences"]][:5]
    if not says and not found["ok"]:
        says = [f"verify found {found['found']:,} differences"]
    return found, says


def judged(judge: Callable[[], Count]) -> Count:
    """Count; where no count can be made, that is a difference."""
    try:
        return judge()
    except LoyaltyError as error:
        return Count(differences=[f"{NO_COUNT}: {error}"])


def _verify(stack: OwnStack, key: Path, wait: float) -> Count:
    found, says = verify(stack, "--answer-key", str(key), wait=wait)
    told = found["key"]
    if (missed := told["planted"] - told["found"]) and not says:
        says = [f"{missed:,} planted faults were not found"]
    return Count(told["lines"], told["lost"], told["duplicated"], told["wrong"], says)


def _ask_hive(stack: OwnStack, key: Path, ends: int) -> Count:
    expected = expect(stack.places.order_log, key)
    of_rows, of_identities = statements(expected)
    (row,), (other,) = stack.sql(of_rows), stack.sql(of_identities)
    cents = int(Decimal(row["s"] or 0) * 100)
    return compare(expected, Answer(row["n"], other["d"], cents, row["c"] or 0), ends)
