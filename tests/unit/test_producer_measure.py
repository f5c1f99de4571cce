"""The measured rate, from files as the producer writes them."""

from collections.abc import Iterable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from producer.log import OrderLog
from producer.measure import measured_rate

NOW = 1_795_534_534_612


def write(folder: Path, instants: Iterable[int], order: str = "demo-x-%d", lines: int = 2) -> None:
    """Write receipts at these instants; the files' times are those of the last line."""
    with OrderLog(folder, ZoneInfo("UTC"), 1, 60) as log:
        for number, instant in enumerate(instants):
            for line in range(1, lines + 1):
                order_id = order % number if "%" in order else order
                log.write(
                    b"7|%d|%s|%d|SALE|3|latte|1|70.00|\n" % (instant, order_id.encode(), line)
                )


def every(interval_ms: float, seconds: float) -> list[int]:
    """Give instants up to NOW."""
    return [NOW - round(step * interval_ms) for step in range(int(seconds * 1000 / interval_ms))][
        ::-1
    ]


@pytest.mark.parametrize("rate", [0.2, 1 / 30, 1 / 600, 1, 5, 500])
def test_a_steady_rate(tmp_path: Path, rate: float) -> None:
    write(tmp_path, every(1000 / rate, max(70, 15 / rate)))
    assert measured_rate(tmp_path, NOW) == pytest.approx(rate, rel=0.01)


def test_a_rate_that_fills_more_than_is_read(tmp_path: Path) -> None:
    write(tmp_path, every(0.25, 30), lines=1)
    assert measured_rate(tmp_path, NOW) == pytest.approx(4000, rel=0.01)


def test_the_window_is_a_minute_then_ten_steps(tmp_path: Path) -> None:
    write(tmp_path, every(20_000, 3600)[:-4] + every(5_000, 60))
    # 12 orders in the last minute, the oldest 55 s ago
    assert measured_rate(tmp_path, NOW) == pytest.approx(0.2)


def test_ten_orders_may_be_in_several_files(tmp_path: Path) -> None:
    for instant in every(30_000, 600):
        write(tmp_path, [instant], order=f"demo-x-{instant}")
    assert measured_rate(tmp_path, NOW) == pytest.approx(1 / 30)


def test_only_orders_since_the_last_change_count(tmp_path: Path) -> None:
    write(tmp_path, [NOW - 40_000 + ms for ms in range(0, 20_000, 10)] + every(1000, 10))
    assert measured_rate(tmp_path, NOW, since_ms=NOW - 15_000) == pytest.approx(1)


def test_other_writers_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, every(1000, 60), order="3-20190401-7-%d")
    assert measured_rate(tmp_path, NOW) is None
    write(tmp_path, every(200, 70))
    write(tmp_path, every(100, 60), order="till-%d")
    assert measured_rate(tmp_path, NOW) == pytest.approx(5, rel=0.01)


def test_a_producer_that_fell_silent(tmp_path: Path) -> None:
    write(tmp_path, every(200, 30))
    assert measured_rate(tmp_path, NOW + 59_000) == pytest.approx(5, rel=0.01)
    assert measured_rate(tmp_path, NOW + 61_000) == 0.0


def test_nothing_to_measure(tmp_path: Path) -> None:
    assert measured_rate(tmp_path / "none", NOW) is None
    assert measured_rate(tmp_path, NOW) is None
    write(tmp_path, [NOW])
    assert measured_rate(tmp_path, NOW) is None


def test_broken_lines_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, every(200, 70))
    path = next(tmp_path.iterdir())
    path.write_bytes(path.read_bytes() + b"x|y|demo-z|1|\n\n|||\n7|17955|demo-")
    assert measured_rate(tmp_path, NOW) == pytest.approx(5, rel=0.01)
