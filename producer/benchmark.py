"""`python -m producer.benchmark`: what `max` is worth beside a producer that asks Faker each time.

Both write the demo's orders into order logs of their own, as many at once, in turns, in this
process. Counted are orders a second of processor time, so that a busy machine gives the same ratio;
of each the fastest round counts.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from faker import Faker

from pipeline.programme import read_programme
from pipeline.settings import ROOT
from producer.demo import AT_ONCE, sell
from producer.log import OrderLog, now_ms
from producer.orders import Till, demo_run
from producer.pace import Pace
from producer.pool import demo_members

ROUNDS: Final = 7
SECONDS: Final = 0.3
"""Of processor time, for each round."""


def main() -> None:
    """Measure and print."""
    menu = read_programme(ROOT / "programme.toml").menu
    till = Till(demo_members(), menu, demo_run(), "1")
    faker = Faker("en_US")
    pace = Pace(0, time.monotonic_ns())

    def at_most(log: OrderLog) -> int:
        return sell(pace, till, time.monotonic_ns(), log.write)

    def with_faker(log: OrderLog) -> int:
        orders = []
        for _ in range(AT_ONCE):
            faker.name()
            orders.append(till.receipt(now_ms()))
        log.write("".join(orders).encode())
        return AT_ONCE

    ways = {"max": at_most, "a Faker call for each order": with_faker}
    best = dict.fromkeys(ways, 0.0)
    for _ in range(ROUNDS):
        for name, way in ways.items():
            best[name] = max(best[name], _speed(way))
    for name, speed in best.items():
        print(f"{name:<29}{speed:>12,.0f} orders/s")
    print(f"{'ratio':<29}{best['max'] / best['a Faker call for each order']:>12.1f}")


def _speed(way: Callable[[OrderLog], int]) -> float:
    """Give orders a second; the log is removed afterwards."""
    with (
        tempfile.TemporaryDirectory() as folder,
        OrderLog(Path(folder), ZoneInfo("UTC"), roll_mib=64, roll_minutes=60) as log,
    ):
        begun, orders = time.process_time(), 0
        while (took := time.process_time() - begun) < SECONDS:
            orders += way(log)
        return orders / took


if __name__ == "__main__":
    main()
