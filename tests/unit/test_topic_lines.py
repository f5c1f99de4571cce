"""What the topic tells a rebuild of lines once FUTURE, and of those that nobody has judged."""

import pyarrow as pa
import pytest

from batch.comparison import Comparison, Outcome
from batch.origins import find_origins, repaired_rows
from batch.rebuild import Result
from batch.topic_lines import left_unjudged, take_messages, unsure, untraced
from pipeline.commands.rebuild import _show
from tests.unit.order_rows import APPENDED, line
from tests.unit.rebuild_rows import (
    DAY,
    changed,
    live,
    messages,
    origins,
    rebuilt,
    told,
    verdict,
)

APPENDED_MS = int(APPENDED.timestamp() * 1000)
EARLY = line(2, at=APPENDED_MS + 3_600_000 + 600_001)
"""By a millisecond too early for what the topic gets an hour after APPENDED."""
ON_TIME = line(3, at=APPENDED_MS + 3_600_000 + 600_000)


def judged(
    comparison: Comparison,
    made: pa.Table,
    there: pa.Table,
    *verdicts: pa.Table,
    topic: tuple[tuple[int, str], ...],
    held: int = 0,
) -> Outcome:
    """Compare as the rebuild does, with the topic in between."""
    comparison.take_rebuilt([made])
    comparison.take_live([there], "t", {0: 1000})
    comparison.take_verdicts(verdicts)
    told(comparison, *topic, held=held)
    return comparison.judge(20)


def after_repair(comparison: Comparison) -> list[tuple[str, int | None]]:
    find_origins(comparison, "t")
    return origins(repaired_rows(comparison, DAY).sort_by("order_id"))


def test_a_line_that_came_too_early_is_no_sale_although_its_verdict_is_lost(
    comparison: Comparison,
) -> None:
    """So too where the stream has not read it yet."""
    topic = ((0, line(1)), (1, EARLY), (2, ON_TIME), (3, "no|time"))
    made = rebuilt(line(1), EARLY, ON_TIME)
    outcome = judged(comparison, made, live(line(1)), verdict("no|time", "FIELDS", 3), topic=topic)
    assert [difference.rebuilt for difference in outcome.listed] == [ON_TIME.encode()]
    assert after_repair(comparison) == [("A-1", 0), ("A-3", 2)]
    assert left_unjudged(comparison, "t") == 1, "its verdict has to come back"
    assert unsure(comparison, "t") == 0


def test_a_line_that_lies_ahead_even_now_is_no_sale_though_nobody_knows_its_verdict(
    comparison: Comparison,
) -> None:
    """Two hours after APPENDED, where topic and quarantine have lost it."""
    now = APPENDED_MS + 7_200_000
    ahead, just = line(2, at=now + 600_001), line(3, at=now + 600_000)
    outcome = judged(comparison, rebuilt(ahead, just), live(), topic=(), held=9)
    assert [difference.rebuilt for difference in outcome.listed] == [just.encode()]
    assert unsure(comparison, "t") == 0


def test_a_lost_row_that_was_future_once_and_counted_later_is_missing(
    comparison: Comparison,
) -> None:
    """Its line was FUTURE at 3 and counted at 5; then its file was damaged."""
    topic = ((3, line(2)), (5, line(2)), (7, line(1)))
    future = verdict(line(2), "FUTURE", 3)
    outcome = judged(comparison, rebuilt(line(1), line(2)), live((7, line(1))), future, topic=topic)
    assert outcome.counts == {"missing": 1}
    assert unsure(comparison, "t") == 0
    assert after_repair(comparison) == [("A-1", 7), ("A-2", 5)]
    assert left_unjudged(comparison, "t") == 0


@pytest.mark.parametrize(("offset", "is_lost"), [(5, True), (3, False)])
def test_a_lost_verdict_comes_back_although_its_line_has_counted_later(
    comparison: Comparison, offset: int, is_lost: bool
) -> None:
    """EARLY was FUTURE at 3 and counted at 5, two hours later. A row of 3 is none by today's rule
    alone: it stays one, so nothing has to be judged.
    """
    comparison.take_rebuilt([rebuilt(EARLY)])
    comparison.take_live([live((offset, EARLY))], "t", {0: 1000})
    later = changed(messages((5, EARLY)), "ts", APPENDED_MS + 7_200_000)
    take_messages(comparison, [messages((3, EARLY)), later], "t", {0: 0}, APPENDED_MS + 9_000_000)
    assert comparison.judge(20).counts == {}
    assert left_unjudged(comparison, "t") == is_lost
    assert left_unjudged(comparison, "another") == 1


@pytest.mark.parametrize(
    ("held", "minute", "open_lines"),
    [(0, 0, 0), (7, 0, 1), (7, 59, 1), (7, 60, 0)],
)
def test_whether_a_line_once_future_counted_is_open_where_the_topic_has_gone_on_since(
    comparison: Comparison, held: int, minute: int, open_lines: int
) -> None:
    """The first line that the topic still holds came an hour after APPENDED."""
    future = verdict(line(2), "FUTURE", 3, minute=minute)
    topic = tuple(one for one in ((3, line(2)), (7, line(1))) if one[0] >= held)
    made, there = rebuilt(line(1), line(2)), live((7, line(1)))
    assert judged(comparison, made, there, future, topic=topic, held=held).counts == {}
    assert unsure(comparison, "t") == open_lines


def test_a_line_of_a_topic_that_is_no_more_is_open(comparison: Comparison) -> None:
    future = changed(verdict(line(2), "FUTURE", 3), "kafka_topic_id", "earlier")
    made, there = rebuilt(line(1), line(2)), live((7, line(1)))
    assert judged(comparison, made, there, future, topic=((7, line(1)),)).counts == {}
    assert unsure(comparison, "t") == 1


def test_missing_rows_of_which_only_a_lost_verdict_could_tell_are_counted(
    comparison: Comparison, capsys: pytest.CaptureFixture[str]
) -> None:
    made = rebuilt(line(1), line(2))
    outcome = judged(comparison, made, live(), topic=((7, line(1)),), held=7)
    assert outcome.counts == {"missing": 2}
    assert untraced(comparison) == 1
    _show(Result(outcome, damaged_verdicts=["/q"], untraced=1).to_json())
    assert "1 missing rows are in HDFS raw alone" in capsys.readouterr().out.replace("\n", " ")


def test_a_lost_row_is_missing_although_its_line_came_again_beyond_the_cut(
    comparison: Comparison,
) -> None:
    comparison.take_rebuilt([rebuilt(line(1), line(2))])
    comparison.take_live([live()], "t", {0: 5})
    told(comparison, (1, line(1)))
    beyond = [line(1).encode(), line(2).encode()]
    comparison.take_beyond([pa.table({"line": pa.array(beyond, pa.binary())})])
    assert [d.rebuilt for d in comparison.judge(20).listed] == [line(1).encode()]


def test_where_nothing_else_tells_the_topics_order_decides_a_conflict(
    comparison: Comparison,
) -> None:
    """Raw has the second one first; row and verdict are lost."""
    second = line(1, amount="1.00")
    topic = ((1, line(1)), (2, second))
    outcome = judged(comparison, rebuilt(second, line(1)), live(), topic=topic)
    assert [difference.rebuilt for difference in outcome.listed] == [line(1).encode()]


def test_who_was_contradicted_has_counted_although_it_was_future_once(
    comparison: Comparison,
) -> None:
    """FUTURE at 3, counted at 5, contradicted at 6; then the row is lost, and the topic expires."""
    second = line(1, amount="1.00")
    verdicts = verdict(line(1), "FUTURE", 3), verdict(second, "CONFLICT", 6)
    outcome = judged(comparison, rebuilt(line(1), second), live(), *verdicts, topic=(), held=9)
    assert [difference.rebuilt for difference in outcome.listed] == [line(1).encode()]


def test_what_is_open_is_never_said_to_be_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    _show(Result(Outcome(1, 1), unsure=1).to_json())
    said = capsys.readouterr().out
    assert "the same" not in said
    assert "1 lines that were FUTURE once are no rows" in said
    _show(Result(Outcome(1, 1)).to_json())
    assert capsys.readouterr().out.splitlines()[1] == "row by row the same"


def test_a_line_that_was_future_each_time_is_not_missing(comparison: Comparison) -> None:
    verdicts = [verdict(line(2), "FUTURE", 3), verdict(line(2), "CONFLICT", 5)]
    topic = ((3, line(2)), (5, line(2)), (7, line(1)))
    made, there = rebuilt(line(1), line(2)), live((7, line(1)))
    assert judged(comparison, made, there, *verdicts, topic=topic).counts == {}


def test_who_is_no_row_and_not_in_quarantine_is_judged_again(comparison: Comparison) -> None:
    """BAD has lost its verdict; A-1 comes twice, A-2 is missing and comes back."""
    topic = ((0, line(1)), (1, "bad"), (2, line(1)), (3, line(2)), (4, "worse"))
    made = rebuilt(line(1), line(2))
    judged(comparison, made, live(line(1)), verdict("worse", "FIELDS", 4), topic=topic)
    find_origins(comparison, "t")
    assert left_unjudged(comparison, "t") == 1


def test_a_row_that_todays_rules_refuse_goes_where_the_topic_has_its_line(
    comparison: Comparison,
) -> None:
    """The stream quarantines A-2 then. A-3's line is in raw alone: nobody would."""
    refused = pa.table({"line": pa.array([line(n).encode() for n in (2, 3)], pa.binary())})
    comparison.take_refused([refused])
    there = live(line(1), (5, line(2)), (3, line(3)))
    topic = ((5, line(2)), (6, line(1)))
    assert judged(comparison, rebuilt(line(1)), there, topic=topic, held=4).counts == {"foreign": 2}
    assert find_origins(comparison, "t") == 1
    assert origins(repaired_rows(comparison, DAY).sort_by("order_id")) == [("A-1", 0), ("A-3", 3)]
    assert left_unjudged(comparison, "t") == 1
