"""What a repair writes, what it keeps, and what it refuses to take away."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from batch import repair
from batch.comparison import Comparison, Outcome
from batch.live import may_hold
from batch.origins import find_origins, repaired_rows
from batch.rebuild import Elsewhere, Result, demand_nowhere_else, without_stream
from pipeline.commands.rebuild import _show
from pipeline.errors import Refused
from pipeline.places import Places
from pipeline.settings import Settings
from pipeline.verify.cut import Cut
from streaming.files import DataName
from streaming.progress import Standing, write_progress
from streaming.staging import Counts, Record
from tests.unit.order_rows import APPENDED, NOON, line
from tests.unit.rebuild_rows import (
    DAY,
    changed,
    judge,
    live,
    origins,
    rebuilt,
    repaired,
    told,
    verdict,
)


def test_a_repair_keeps_what_was_there_and_adds_what_the_topic_knows(
    comparison: Comparison,
) -> None:
    there = live((5, line(1)), (7, line(3)))
    made = rebuilt(line(1), line(2), line(3), line(4))
    judge(comparison, made, there, verdict(line(2), "FUTURE", 6), verdict("x", "FIELDS", 1))
    # FUTURE and not live: it is not missing
    table = repaired(comparison, (8, line(4)), (5, line(1)), (9, line(4)))
    assert origins(table) == [("A-1", 5), ("A-3", 7), ("A-4", 8)]
    assert table["ingested_at"].to_pylist() == [APPENDED, APPENDED, APPENDED + timedelta(hours=1)]
    assert table["kafka_topic_id"].to_pylist() == ["t", "t", "t"]


def test_a_line_that_the_topic_holds_no_longer_has_no_origin(comparison: Comparison) -> None:
    judge(comparison, rebuilt(line(1)), live())
    table = repaired(comparison, held=10)
    assert origins(table) == [("A-1", None)]
    assert table["ingested_at"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("held", "found", "offset"),
    [(0, ((5, line(1)), (2, line(1))), 5),
     (0, ((6, line(1)),), 6),
     (0, (), None),
     (6, (), 5)],
)  # fmt: skip
def test_other_content_keeps_its_offset_unless_the_topic_knows_better(
    comparison: Comparison, held: int, found: tuple[tuple[int, str], ...], offset: int | None
) -> None:
    judge(comparison, rebuilt(line(1)), live((5, line(1, amount="9.99"))))
    assert origins(repaired(comparison, *found, held=held)) == [("A-1", offset)]


def test_rows_beyond_the_cut_stay_in_a_repaired_partition(comparison: Comparison) -> None:
    judge(comparison, rebuilt(line(1)), live((50, line(9))), reached=10)
    assert origins(repaired(comparison, (3, line(1)))) == [("A-1", 3), ("A-9", 50)]


def test_what_raw_lacks_and_nothing_disproves_is_not_taken_away(comparison: Comparison) -> None:
    """A-9's line is in the topic, A-8's offset is not held, A-7's topic is no more; the others go:
    where A-6 claims to be is another line, A-5 came from nowhere, A-4 is quarantined, A-9 is twice.
    """
    old = changed(live((6, line(7))), "kafka_topic_id", "earlier")
    nowhere = changed(live((6, line(5))), "kafka_topic_id", None)
    here = live((9, line(1)), (3, line(8)), (10, line(9)), (11, line(9)), (12, line(6)),
                (13, line(4)))  # fmt: skip
    there = pa.concat_tables([here, old, nowhere])
    judge(comparison, rebuilt(line(1)), there, verdict(line(4), "ITEM", 13))
    told(
        comparison, (9, line(1)), (10, line(9)), (11, line(9)), (12, line(3)), (13, line(4)), held=9
    )
    assert find_origins(comparison, "t") == 3
    assert origins(repaired_rows(comparison, DAY).sort_by("order_id")) == [
        ("A-1", 9), ("A-7", 6), ("A-8", 3), ("A-9", 10),
    ]  # fmt: skip
    assert comparison.partitions() == [DAY]


def test_of_two_copies_the_one_that_nothing_disproves_stays(comparison: Comparison) -> None:
    judge(comparison, rebuilt(line(1)), live((9, line(1)), (2, line(9)), (5, line(9))))
    told(comparison, (2, line(3)), (5, line(9)), (9, line(1)))
    assert find_origins(comparison, "t") == 1
    assert origins(repaired_rows(comparison, DAY).sort_by("order_id")) == [("A-1", 9), ("A-9", 5)]


@pytest.mark.parametrize(("runs", "known"), [(False, True), (True, False)])
def test_what_the_stream_has_still_to_read_again_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    *, runs: bool, known: bool,
) -> None:  # fmt: skip
    """Where it stood before the repair, or nobody knows how far it was, nothing is waited for."""
    found = Result(Outcome(1, 1), unjudged=7, read_again=500).to_json()
    monkeypatch.setattr(repair, "_ask_hdfs", lambda _: None)
    monkeypatch.setattr(repair, "care_of", lambda _: None)
    monkeypatch.setattr(repair, "paused", lambda *_: nullcontext(runs))
    monkeypatch.setattr(repair, "run_job", lambda *_, **__: found)
    places = Places(tmp_path)
    places.run.mkdir()
    if known:
        standing = Standing(1.0, "t", (), None)
        write_progress(places, standing, Record(1, 0, "t", {}, {}, {0: 9}, Counts(), Counts()))
    result = repair.repair(Settings(data=tmp_path), [], print)
    assert (result["ok"], result["still_to_read"]) == (False, True)
    _show(result)
    assert "has 500 lines of the topic to read again" in " ".join(capsys.readouterr().out.split())


CUT = Cut(APPENDED, (), "t", {0: 0}, {0: 9}, {0: 0}, None,
          {"HDFS raw": 2, "transactions_cln": 9})  # fmt: skip


def test_without_a_record_of_the_topic_a_repair_compares_what_raw_has() -> None:
    """Else all lines of the topic would be beyond the cut, and nothing be missing."""
    cut = without_stream(CUT, {0: 7})
    assert (cut.reached, cut.behind) == ({0: 7}, {"HDFS raw": 2})
    assert without_stream(CUT, {}).reached == {0: 0}
    assert without_stream(CUT, {0: 70}).reached == {0: 9}


def test_who_is_behind_the_cut_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(Outcome(1, 1), behind={"HDFS raw": 7_200}).to_json()
    assert result["behind"] == {"HDFS raw": 7_200}
    _show(result)
    said = capsys.readouterr().out
    assert "compared up to the slowest: HDFS raw has 7,200 lines to go" in said
    assert "row by row the same, as far as was compared" in said


def test_events_called_missing_are_found_in_partitions_of_other_dates(
    comparison: Comparison,
) -> None:
    judge(comparison, rebuilt(line(1), line(2, at=NOON + 5), line(3, at=NOON + 9)), live(line(1)))
    assert comparison.missing_ends() == (NOON + 5, NOON + 9)
    astray = changed(live(line(3, at=NOON + 9), line(1)), "odr_dt", date(2019, 4, 8))
    assert comparison.found_in([astray]) == ["odr_dt=2019-04-08/odr_hr=0"]


def elsewhere(rows: list[pa.Table], files: list[str]) -> Elsewhere:
    """Give what the other dates' partitions hold: rows, and files that cannot be read."""

    def give(
        _scratch: Path, ends: tuple[int, int], unread: Callable[[str], None]
    ) -> Iterator[pa.Table]:
        assert ends == (NOON + 9, NOON + 9)
        for path in files:
            unread(path)
        yield from rows

    return give


ASTRAY = changed(live(line(3, at=NOON + 9)), "odr_dt", date(2019, 4, 8))


@pytest.mark.parametrize(
    ("rows", "unread", "places"),
    [
        ([ASTRAY], [], "odr_dt=2019-04-08"),
        ([], ["/cln/odr_dt=2019-04-09/odr_hr=0/g=1/x.parquet"], "odr_dt=2019-04-09"),
    ],
)
def test_a_repair_that_may_double_a_row_is_refused(
    comparison: Comparison, tmp_path: Path, rows: list[pa.Table], unread: list[str], places: str
) -> None:
    judge(comparison, rebuilt(line(1), line(3, at=NOON + 9)), live(line(1)))
    with pytest.raises(Refused, match=rf"lie, or may lie, in {places}/odr_hr=0: nothing was"):
        demand_nowhere_else(comparison, elsewhere(rows, unread), tmp_path)


def test_a_repair_goes_on_where_no_other_date_has_what_is_missing(
    comparison: Comparison, tmp_path: Path
) -> None:
    judge(comparison, rebuilt(line(1), line(3, at=NOON + 9)), live(line(1)))
    there = iter([live(line(1))])
    demand_nowhere_else(comparison, lambda *_asked: there, tmp_path)
    assert list(there) == [], "it has looked at what is there"


def test_nothing_missing_is_nowhere_else(comparison: Comparison, tmp_path: Path) -> None:
    judge(comparison, rebuilt(line(1)), live(line(1), line(9)))
    assert comparison.missing_ends() is None
    demand_nowhere_else(comparison, elsewhere([], ["never asked"]), tmp_path)


def test_a_files_name_tells_whether_it_may_hold_an_instant() -> None:
    folder = "/cln/odr_dt=2019-04-08/odr_hr=0/g=1"
    file = f"{folder}/{DataName(1, 2, 3, NOON, NOON + 9).text()}"
    for ends, may in (((0, NOON - 1), False), ((0, NOON), True), ((NOON + 4, NOON + 5), True),
                      ((NOON + 9, NOON + 20), True), ((NOON + 10, NOON + 20), False)):  # fmt: skip
        assert may_hold(file, ends) is may
    assert may_hold(f"{folder}/by-hand.parquet", (0, 0))
