"""The screen of `status` at 80 columns, from documents; and how its numbers are written."""

import io
from typing import Any

import pytest
from rich.console import Console

from cluster.hops import describe_hops
from cluster.samples import Memory
from cluster.sizes import describe_sizes
from pipeline.places import Places
from pipeline.screen import ago, draw, rate, signed_size, size
from tests.readme_page import labels, session
from tests.unit.status_document import document, with_component, with_hop

HEALTHY = """\
component         state       port   memory  restarts
Kafka broker      answering   9092  172 MiB
HDFS NameNode     answering   8020  162 MiB
HDFS DataNode     answering   9866  161 MiB
HBase             answering  16000  277 MiB
HBase Thrift      answering   9090  143 MiB
Hive metastore    answering   9083  232 MiB
HiveServer2       answering  10000  462 MiB
Flume agent       running           186 MiB
Spark streaming   running           560 MiB
Refresh schedule  answering          39 MiB
Demo producer     running            37 MiB
healthy, 2431 MiB in all
producer    asked 5/s, measured 5.00 orders/s

path        order log  → topic  ↳ HDFS raw  ↳ HBase  ↳ transactions_cln
lines/s          10.0     10.0        9.98     10.0                9.95
behind                       0           2        0                  24
newest          <10 s    <10 s       <10 s    <10 s               <10 s
quarantine  none of 4,310 lines in 24 hours

disk        order log  Kafka    raw  clean  mart  HBase   logs  other  in all
now               11M    22M   9.3M   3.9M  303K    14M   2.3M   8.6M     73M
a day           +2.9M  +5.6M  +2.3M  +1.0M  +76K  +3.6M  +586K  +2.1M    +18M

open        transactions_cln 2026-11-24/odr_hr=0: 4 files (g=1)
refresh     3 min ago, ok; next in 92 s; newest snapshot 2026-11-24, 3 min old
"""

BROKEN = """\
component         state       port   memory  restarts
Kafka broker      silent      9092  172 MiB         2
HDFS NameNode     answering   8020  162 MiB
HDFS DataNode     answering   9866  161 MiB
HBase             answering  16000  277 MiB
HBase Thrift      answering   9090  143 MiB
Hive metastore    answering   9083  232 MiB
HiveServer2       answering  10000  462 MiB
Flume agent       running           186 MiB
Spark streaming   running           560 MiB
Refresh schedule  answering          39 MiB
Demo producer     running            37 MiB
not healthy, 2431 MiB in all
producer    asked 5/s, not measured yet
kafka: its process is stopped by a signal
watcher     The watcher has not looked for 70 s.
disk        The disk of Kafka has 3 MiB left.
order log   orders-x.log is a link to nothing.
gap         Partition 0 was not read.

path        order log  → topic  ↳ HDFS raw  ↳ HBase  ↳ transactions_cln
lines/s       unknown  unknown     unknown  unknown             unknown
behind                 unknown     unknown  unknown             unknown
newest        unknown  unknown     unknown  unknown             unknown
quarantine  22 of 400 lines in 24 hours (5.50%): ITEM 20, CONFLICT 2

disk        unknown until the watcher has measured it

refresh     26 h ago, failed: HiveServer2 is [away]
"""


def drawn(found: dict[str, Any], **options: Any) -> str:
    """Draw it as a pipe has it, without the blanks at the ends of lines."""
    console = Console(file=io.StringIO(), width=80, soft_wrap=True, highlight=False, **options)
    console.print(draw(found))
    assert isinstance(console.file, io.StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def broken(places: Places) -> dict[str, Any]:
    """Give a document in which nothing is well."""
    return with_component(
        "kafka", state="silent", restarts=2, reason="its process is stopped by a signal"
    ) | {
        "producer": {"asked": "5/s", "measured": None, "shape": "constant", "now": 5.0},
        "watcher": "The watcher has not looked for 70 s.",
        "full_disks": ["The disk of Kafka has 3 MiB left."],
        "left_out": ["orders-x.log is a link to nothing."],
        "gaps": ["Partition 0 was not read."],
        "hops": describe_hops(Memory(), {}, places, 0),
        "disk": describe_sizes(Memory()),
        "quarantine": {
            "lines": 400, "quarantined": 22, "reasons": {"CONFLICT": 2, "ITEM": 20},
        },
        "open_partitions": [],
        "refresh": {
            "last": "2026-11-23T14:30:00+00:00", "outcome": "failed", "next": None,
            "fruitless": 4,
            "error": "HiveServer2 is [away].\nmore", "newest_snapshot": None,
            "snapshot_age_seconds": None,
        },
    }  # fmt: skip


def test_a_healthy_stack_is_one_screen() -> None:
    text = drawn(document())
    assert text == HEALTHY
    assert len(text.splitlines()) <= 30
    assert max(map(len, text.splitlines())) <= 80


def test_the_readmes_screen_has_this_shape() -> None:
    (shown,) = [one.output for one in session("screen") if one.output]
    assert labels(shown) == labels(HEALTHY)


def test_what_is_wrong_is_said(tmp_path: Any) -> None:
    assert drawn(broken(Places(tmp_path))) == BROKEN


def test_a_lag_that_grows_is_said() -> None:
    text = drawn(with_hop("transactions_cln", lag=9000, growing=120))
    assert "transactions_cln is ever further behind: 9,000 lines now, 120 ten minutes ago" in text


def test_a_young_stack_tells_no_growth() -> None:
    found = document()
    for one in found["disk"]:
        one["bytes_per_day"] = None
    text = drawn(found)
    assert "\nnow " in text
    assert "a day" not in text


def test_todays_partitions_come_before_the_many_of_a_replay() -> None:
    found = [{"table": "transactions_cln", "partition": f"odr_dt=2019-04-{day:02}/odr_hr=0",
              "files": 60, "generation": 1} for day in range(1, 9)]  # fmt: skip
    found += document()["open_partitions"]
    text = drawn(document(open_partitions=found))
    assert "open        transactions_cln 2026-11-24/odr_hr=0: 4 files (g=1), transactions" in text
    assert "6 more" in text


def test_before_the_first_start_of_the_stream() -> None:
    assert "quarantine  unknown until the stream has started" in drawn(document(quarantine=None))


def test_the_next_step_before_the_first_refresh_needs_customers() -> None:
    before = dict.fromkeys(document()["refresh"])
    assert "refresh     none yet; `./loyalty refresh` makes" in drawn(document(refresh=before))
    text = drawn(document(refresh=before, customers=False))
    assert "none yet; load customers first: `./loyalty customers load FILE.csv`" in text


def test_what_does_not_run_is_started_first() -> None:
    found = document(healthy=False, customers=False, refresh=dict.fromkeys(document()["refresh"]))
    for component in found["components"]:
        component |= {"state": "down", "rss_mib": 0}
    text = drawn(found)
    assert "\nnot running; `./loyalty up` starts it\n" in text
    assert "\nrefresh     none yet\n" in text
    assert "rate resume" not in text, "a command that would fail now"
    found["watcher"] = "supervisord was killed; `./loyalty up` starts all again."
    assert "not healthy" in drawn(found)


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = {"force_terminal": True, "color_system": "standard"}
    assert "\x1b[32m" in drawn(document(), **coloured)
    assert "\x1b" not in drawn(document())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in drawn(document(), **coloured)


def test_what_it_tells_to_type_works_in_containers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOYALTY_CONTAINERS", "1")
    idle = document()["producer"] | {"asked": None}
    broken = with_component("kafka", reason="it is full; `./loyalty up` again")
    for text in (drawn(document(producer=idle)), drawn(broken)):
        assert (
            "`./loyalty --compose rate resume`" in text or "`docker compose up -d --wait`" in text
        )
        assert "`./loyalty rate" not in text
        assert "`./loyalty up" not in text


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (0.033, "0.03"), (9.96, "9.96"), (12.34, "12.3"), (999.7, "1,000"),
     (12_345.6, "12,346")],
)  # fmt: skip
def test_rates(number: float, text: str) -> None:
    assert rate(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "<10 s"), (9.9, "<10 s"), (10, "10 s"), (119, "119 s"), (120, "2 min"),
     (7199, "120 min"), (7200, "2 h"), (172_800, "2 days")],
)  # fmt: skip
def test_times(seconds: float, text: str) -> None:
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0K"), (512, "0.5K"), (10_240, "10K"), (1_048_575, "1.0M"), (5 << 40, "5.0T"),
     (-3_565_158, "-3.4M")],
)  # fmt: skip
def test_sizes(count: int, text: str) -> None:
    assert size(count) == text
    assert signed_size(count) == (f"+{text}" if count > 0 else text)
