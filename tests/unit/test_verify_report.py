"""What verify says: scope of dates, waiting, sentences, JSON, wrong use."""

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from pipeline.commands import verify as command
from pipeline.errors import Unavailable, UsageError
from pipeline.verify.cut import Patience, describe
from pipeline.verify.report import Counts, Difference, Outcome, Totals, show, shown
from pipeline.verify.scope import Scope, full_condition

DAY, NEXT = date(2026, 11, 1), date(2026, 11, 2)
LINE = b"7|1|A|1|SALE|3|[red]caf\xc3\xa9|\xff|\x1b[2J|"


def outcome(*differences: Difference) -> Outcome:
    hops = [Totals(hop, day, 3, 2, Decimal("1.50"), 5) for hop in ("log files", "topic")
            for day in (DAY, None)]  # fmt: skip
    return Outcome(Counts(4, 2, 1, 1), hops, list(differences), len(differences), {"HBase": 3})


def printed(result: Outcome) -> str:
    console = Console(file=io.StringIO(), width=80, soft_wrap=True, highlight=False)
    show(result, console, dates=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_agreement_is_said() -> None:
    text = printed(outcome())
    assert "4 lines = 2 clean + 1 duplicates + 1 quarantined" in text
    limit = "as far as was compared: HBase has 3 lines to go; --wait waits"
    assert f"every hop has the same lines, {limit}" in text
    assert "2026-11-01" in text


def test_no_line_in_the_topic_is_no_sum_of_zeros() -> None:
    """So it is after a restore: the new topic has only what came since."""
    text = printed(replace(outcome(), counts=Counts(0, 0, 0, 0), behind={}))
    assert "the topic has none of these lines; the other hops are compared with each other" in text
    assert text.endswith("every hop has the same lines\n")


def test_a_difference_is_one_sentence_with_hop_and_line_and_no_control_character() -> None:
    text = printed(outcome(Difference("HBase", "missing", LINE, "is clean, but went")))
    assert "HBase: line «7|1|A|1|SALE|3|[red]café|\\xff|\\x1b[2J|» is clean, but went." in text
    assert "1 differences" in text
    assert "\x1b" not in text


def test_a_long_line_is_cut_when_shown() -> None:
    assert shown(b"x" * 65_536).endswith("… (65,536 bytes)")
    assert len(shown(b"x" * 65_536)) < 400


def test_the_json_object() -> None:
    assert outcome(Difference("topic", "count", None, "gave less")).to_json() == {
        "ok": False,
        "counts": {"lines": 4, "clean": 2, "duplicates": 1, "quarantined": 1},
        "hops": [
            {"hop": hop, "lines": 6, "distinct": 4, "amount": "3.00", "hash": "0" * 32,
             "dates": [{"date": day, "lines": 3, "distinct": 2, "amount": "1.50",
                        "hash": f"{5:032x}"} for day in ("2026-11-01", "none")]}
            for hop in ("log files", "topic")
        ],
        "differences": [
            {"hop": "topic", "kind": "count", "line": None, "says": "topic: gave less."}
        ],
        "found": 1,
        "unsure": 0,
        "behind": {"HBase": 3},
    }  # fmt: skip


def test_waiting_ends_in_a_sentence_that_names_who_lags() -> None:
    notes: list[str] = []
    patience = Patience(0.01, notes.append)
    assert patience.goes_on({"HBase": 1234})
    with pytest.raises(Unavailable, match=r"within 0.01 s: HBase has 1,234 lines to go"):
        patience.goes_on({"HBase": 1234})
    assert notes == ["waiting: HBase has 1,234 lines to go"]
    assert not Patience(1, notes.append).goes_on({})
    assert not Patience(None, notes.append).goes_on({"HBase": 1})
    assert describe({"Flume": 5, "HDFS raw": 2}) == (
        "Flume has 5 bytes of the log files to read, HDFS raw has 2 lines to go"
    )


def test_a_scope_of_dates() -> None:
    asked = Scope(DAY, NEXT, with_none=False)
    assert [asked.wants(day) for day in (date(2026, 10, 31), DAY, NEXT, date(2026, 11, 3))] == [
        False, True, True, False]  # fmt: skip
    low, high = asked.instants(ZoneInfo("America/New_York")) or (0, 0)
    assert high - low == 49 * 3_600_000, "1 November 2026 has 25 hours there"
    assert Scope().is_everything
    assert Scope().instants(ZoneInfo("UTC")) is None
    assert Scope(first=DAY).instants(ZoneInfo("UTC")) is None
    assert Scope(days=frozenset([DAY])).instants(ZoneInfo("UTC")) is not None
    assert "in_topic" in full_condition(Scope(), DAY)


@pytest.mark.parametrize("options", [{"first": "yesterday"}, {"last": "2026-02-30"},
                                     {"first": "2026-11-02", "last": "2026-11-01"}])  # fmt: skip
def test_wrong_dates_are_wrong_use(options: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        command.verify(**options)  # type: ignore[arg-type]
