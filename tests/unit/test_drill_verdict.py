"""The table of a drill."""

import io

from rich.console import Console

from drill.verdict import Count, Outcome, Row, show

ONCE = [Row("kafka", "SIGKILL", 7, 8, 2.0, 100), Row("flume", "SIGKILL", 9, 10, 4.0, 300)]


def shown(rows: list[Row]) -> list[list[str]]:
    """Give the words of each line."""
    text = io.StringIO()
    show(Outcome(rows, Count(lines=400)), Console(file=text, width=100))
    return [line.split() for line in text.getvalue().splitlines()]


def test_each_thing_that_was_done_once_has_its_line() -> None:
    _, kafka, flume, verdict = shown(ONCE)
    assert kafka == ["kafka", "SIGKILL", "7", "8", "2.0", "100"]
    assert flume == ["flume", "SIGKILL", "9", "10", "4.0", "300"]
    assert verdict == ["400", "lines:", "0", "lost,", "0", "duplicated,", "0", "wrong"]


def test_what_was_done_several_times_has_one_line() -> None:
    again = [Row("kafka", "SIGKILL", 8, 11, seconds, 1_000) for seconds in (3.0, 10.0)]
    _, kafka, flume, _ = shown([*ONCE, *again])
    assert kafka == ["kafka", "SIGKILL", "3", "2.0", "3.0", "10.0", "2,100"]
    assert flume == ["flume", "SIGKILL", "1", "4.0", "4.0", "4.0", "300"]
