"""What a control must find: another failure of the count is none, and proves nothing."""

from contextlib import suppress
from pathlib import Path

import pytest

from drill.controls import CONTROLS, LAST, faults, turns
from drill.count import NO_COUNT
from drill.crippled import unacknowledged
from drill.verdict import Count
from pipeline.errors import LoyaltyError

AWAY = Count(differences=[f"{NO_COUNT}: HiveServer2 does not answer"])


def test_a_count_that_could_not_be_made_is_a_complaint() -> None:
    for name, control in CONTROLS.items():
        (fault,) = faults(control, AWAY)
        assert "HiveServer2 does not answer" in fault, name
        (fault,) = faults(control, Count(10))
        assert "it found nothing" in fault


def test_each_finds_its_own() -> None:
    lines = f"{NO_COUNT}: transactions_cln has 6,972 lines to go"
    torn = "the stream's log says is no whole Parquet file"
    block = f"{NO_COUNT}: HDFS refused read /raw/a: Cannot obtain block length for a"
    found = {
        "recovery": Count(differences=[block]),
        "staging": Count(lost=4, differences=[lines, "Hive has 7 rows", torn]),
        "acknowledgement": Count(lost=308, differences=["line «a» is in the log files"]),
        "comparison": Count(duplicated=489, differences=["Hive has 993 rows"]),
    }
    for name, control in CONTROLS.items():
        for safety, count in found.items():
            assert (faults(control, count) == []) == (name == safety), (name, safety)


def test_a_stream_that_stands_still_for_another_reason_proves_nothing_of_the_staging() -> None:
    (fault,) = faults(
        CONTROLS["staging"], Count(differences=["transactions_cln has 9 lines to go"])
    )
    assert "is no whole Parquet file" in fault


def test_doubled_lines_stay_so_that_control_comes_last_and_once() -> None:
    assert turns(None, 2) == [name for name in CONTROLS if name != LAST for _ in range(2)] + [LAST]
    assert turns(LAST, 3) == [LAST]
    assert turns("staging", 3) == ["staging"] * 3


def test_the_acknowledgement_is_back_also_where_a_step_fails(tmp_path: Path) -> None:
    conf = tmp_path / "flume.conf"
    whole = "a.producer.acks = all\na.enable.idempotence = true\n"
    conf.write_text(whole)
    with suppress(TimeoutError), unacknowledged(conf):
        assert "producer.acks = 0\na.enable.idempotence = false" in conf.read_text()
        raise TimeoutError
    assert conf.read_text() == whole
    conf.write_text("nothing")
    with pytest.raises(LoyaltyError, match="no acknowledgement"), unacknowledged(conf):
        pass
