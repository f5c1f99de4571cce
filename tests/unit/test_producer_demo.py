"""`python -m producer`, as the supervisor runs it: a real process on a data folder of its own."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.order import OrderLine, parse
from pipeline.places import Places
from pipeline.programme import read_programme
from pipeline.settings import ROOT
from producer.heartbeat import demand_heartbeat, heartbeat_file
from producer.log import files, now_ms
from producer.measure import measured_rate
from producer.members import write_members
from producer.rate import ACTS_MS, ask_rate
from producer.shape import density
from tests.waiting import wait_until

Begin = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A data folder with two members."""
    places = Places(tmp_path / "var")
    write_members(places, [(7, 3), (70, 5)])
    return places


@pytest.fixture
def begin(places: Places) -> Iterator[Begin]:
    """Start producers; each that still lives at the end of the test is killed."""
    begun = []

    def one() -> subprocess.Popen[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LOYALTY_")}
        begun.append(
            subprocess.Popen(
                [sys.executable, "-m", "producer"],
                cwd=ROOT,
                env=environment | {"LOYALTY_DATA": str(places.data)},
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return begun[-1]

    yield one
    for process in begun:
        process.kill()
        process.communicate()


def stop(process: subprocess.Popen[str]) -> str:
    """End it as the supervisor does: within a second, with exit code 0. Gives what it said."""
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=10)
    assert process.returncode == 0, said
    return said


def size(places: Places) -> int:
    """Give the bytes in the order log."""
    found = files(places.order_log) if places.order_log.exists() else ()
    return sum(path.stat().st_size for path in found)


def written(places: Places) -> list[OrderLine]:
    """Read all whole lines in the order log."""
    orders = []
    for path in files(places.order_log) if places.order_log.exists() else ():
        # of a living writer's last write some may be seen already
        for line in path.read_bytes().split(b"\n")[:-1]:
            order = parse(line)
            assert isinstance(order, OrderLine), line
            orders.append(order)
    return orders


def receipt_numbers(orders: list[OrderLine]) -> list[int]:
    """Give the running numbers of the receipts, checking that no line is lost or doubled."""
    numbers: list[int] = []
    line = 0
    for order in orders:
        number = int(order.order_id.rpartition("-")[2])
        if numbers and number == numbers[-1]:
            line += 1
        else:
            numbers.append(number)
            line = 1
        assert order.line_no == line
    return numbers


def test_the_default_rate_begins_with_an_order_at_once(places: Places, begin: Begin) -> None:
    ask_rate(places, "30s")
    before = now_ms()
    process = begin()
    wait_until("the orders are written", lambda: bool(written(places)))
    said = stop(process)
    assert "30s" in said
    orders = written(places)
    assert receipt_numbers(orders) == [1]
    assert orders[0].customer_id in {7, 70, None}
    assert before <= orders[0].ordered_at <= now_ms()


def test_another_rate_acts_within_two_seconds(places: Places, begin: Begin) -> None:
    ask_rate(places, "30s")
    process = begin()
    wait_until("the orders are written", lambda: bool(written(places)))
    ask_rate(places, "500/s")
    wait_until(
        "the orders are written", lambda: len(receipt_numbers(written(places))) > 100, seconds=2
    )
    asked = ask_rate(places, "100/s")
    time.sleep(3)
    measured = measured_rate(places.order_log, now_ms(), asked.since_ms + ACTS_MS)
    assert measured == pytest.approx(100, rel=0.05)
    ask_rate(places, "pause")
    time.sleep(1)
    paused = len(written(places))
    time.sleep(1)
    assert len(written(places)) == paused
    stop(process)
    numbers = receipt_numbers(written(places))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("rate", ["0.2/s", "1000/s"])
def test_what_is_asked_for_is_measured(places: Places, begin: Begin, rate: str) -> None:
    """Three times, a second apart. At once on a machine of its own; after a while where others kept
    the first orders back.
    """
    ask_rate(places, rate)
    process = begin()
    wanted = float(rate.removesuffix("/s"))

    agreed = 0

    def agrees() -> bool:
        nonlocal agreed
        time.sleep(1)
        measured = measured_rate(places.order_log, now_ms())
        is_near = measured is not None and abs(measured - wanted) <= 0.05 * wanted
        agreed = agreed + 1 if is_near else 0
        return agreed == 3

    assert wait_until("the rate is measured", agrees, seconds=90) < 90
    stop(process)


def test_a_pause_is_not_made_up_for(places: Places, begin: Begin) -> None:
    ask_rate(places, "100/s")
    process = begin()
    wait_until("the orders are written", lambda: bool(written(places)))
    ask_rate(places, "pause")
    time.sleep(3)
    before = len(written(places))
    ask_rate(places, "resume")
    wait_until("the orders are written", lambda: len(written(places)) > before)
    time.sleep(0.5)
    assert len(written(places)) - before < 150
    stop(process)


def test_the_rate_outlives_a_kill_and_the_ids_differ(places: Places, begin: Begin) -> None:
    ask_rate(places, "500/s")
    for _ in range(2):
        process = begin()
        more = len(written(places)) + 100
        wait_until("the orders are written", lambda more=more: len(written(places)) > more)  # type: ignore[misc]
        process.kill()
        process.wait()
    assert len(list(files(places.order_log))) == 2
    orders = written(places)
    assert len({order.identity() for order in orders}) == len(orders)


def test_another_shape_acts_while_it_runs(places: Places, begin: Begin) -> None:
    ask_rate(places, "200/s")
    process = begin()
    wait_until("the orders are written", lambda: bool(written(places)))
    asked = ask_rate(places, shape="rush-hour")
    time.sleep(3)
    measured = measured_rate(places.order_log, now_ms(), asked.since_ms + ACTS_MS)
    zone = ZoneInfo(read_programme(ROOT / "programme.toml").time_zone)
    assert measured == pytest.approx(200 * density("rush-hour", zone, now_ms()), rel=0.05)
    stop(process)


def test_max_ends_at_a_line_end_too(places: Places, begin: Begin) -> None:
    ask_rate(places, "max")
    process = begin()
    wait_until("the orders are written", lambda: size(places) > 500_000)
    stop(process)
    numbers = receipt_numbers(written(places))
    assert numbers == list(range(1, len(numbers) + 1))


def test_without_members_it_says_so_once_and_waits(places: Places, begin: Begin) -> None:
    write_members(places, [])
    ask_rate(places, "500/s")
    process = begin()
    time.sleep(1.5)
    assert written(places) == []
    write_members(places, [(5001, 8)])
    wait_until("the orders are written", lambda: len(written(places)) > 100)
    said = stop(process)
    assert said.count("No members yet") == 1
    assert {order.customer_id for order in written(places)} == {5001, None}


def test_nothing_is_invented_unasked(places: Places, begin: Begin) -> None:
    process = begin()
    assert process.stderr
    said = [process.stderr.readline() for _ in range(2)]  # its members, and what it is asked for
    assert "nothing yet" in said[1]
    stop(process)
    assert written(places) == []


def test_new_members_are_taken_up(places: Places, begin: Begin) -> None:
    ask_rate(places, "500/s")
    process = begin()
    wait_until("the orders are written", lambda: len(written(places)) > 100)
    write_members(places, [(9, 9)])
    wait_until(
        "the orders are written",
        lambda: any(order.customer_id == 9 for order in written(places)),
        seconds=2,
    )
    stop(process)
    assert 9 in {order.customer_id for order in written(places)}


def test_a_full_disk_is_waited_for_without_loss(places: Places, begin: Begin) -> None:
    ask_rate(places, "500/s")
    ask_rate(places, "pause")
    process = begin()
    _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (5000, most))
    ask_rate(places, "resume")
    wait_until("the orders are written", lambda: bool(written(places)))
    time.sleep(1.2)
    full = written(places)
    assert sum(len(order.text()) + 1 for order in full) > 4900
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
    wait_until("the orders are written", lambda: len(written(places)) > len(full) + 100)
    said = stop(process)
    assert said.count("No room for another order line") == 1
    assert "There is room again" in said
    numbers = receipt_numbers(written(places))
    assert numbers == list(range(1, len(numbers) + 1))


def test_it_ends_while_it_waits_for_room(places: Places, begin: Begin) -> None:
    ask_rate(places, "500/s")
    ask_rate(places, "pause")
    process = begin()
    _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, most))
    ask_rate(places, "resume")
    wait_until("the orders are written", lambda: bool(written(places)))
    time.sleep(1)
    stop(process)
    assert written(places)


def test_a_damaged_rate_file_ends_in_a_sentence(places: Places, begin: Begin) -> None:
    ask_rate(places, "5/s")
    (places.producer / "rate").write_text(json.dumps({"rate": "often"}))
    process = begin()
    _, said = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "damaged" in said
    assert "Traceback" not in said


def test_a_paused_producer_gives_signs_of_life(places: Places, begin: Begin) -> None:
    ask_rate(places, "pause")
    process = begin()
    wait_until("the first sign", heartbeat_file(places).exists)
    first = heartbeat_file(places).stat().st_mtime_ns
    wait_until("another sign", lambda: heartbeat_file(places).stat().st_mtime_ns > first)
    demand_heartbeat(places)
    stop(process)
    assert written(places) == []
