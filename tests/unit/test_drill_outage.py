"""What an outage's drill concludes, without a stack."""

from drill.outage import MOST_SECONDS, too_slow
from drill.verdict import Row


def test_more_than_a_minute_is_a_complaint() -> None:
    assert MOST_SECONDS == 60
    assert too_slow(Row("kafka", "away 120 s", 0, 7, 60.0, 60_000), MOST_SECONDS) == []
    (complaint,) = too_slow(Row("kafka", "away 120 s", 0, 7, 61.0, 60_000), MOST_SECONDS)
    assert complaint.startswith("kafka was back, and everyone had caught up after 61 s only")
