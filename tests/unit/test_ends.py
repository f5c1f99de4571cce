"""What has ended: `status` says how, when, and with which last words."""

import errno
import io
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cluster.findings import Findings, read_reasons
from cluster.restarts import TOLD_SECONDS, count_ends, describe_end, read_whys
from pipeline.document import read_document
from pipeline.places import Places
from pipeline.settings import Settings
from tests.unit.supervised import pid_of, restarts, supervised
from tests.waiting import wait_until

AT = "2026-11-24T14:03:11+00:00"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path)


def test_status_tells_the_last_words_of_who_has_ended(settings: Settings) -> None:
    script = settings.data / "driver.sh"
    script.write_text(
        "sleep 1\n"  # an end right after the start would be an error of the start
        "echo '2026-11-24 14:03:10,000 ERROR an older one'\n"
        "echo '2026-11-24 14:03:11,123 ERROR The query ended, it is started again: No topic.'\n"
        "printf '\\tat org.apache.Error.frame\\n2026-11-24 14:03:11,200 INFO bye\\n'\n"
        "exit 1\n"
    )
    with supervised(settings, ["sh", str(script)]) as supervisor:
        supervisor.start("producer")
        wait_until("its end is counted", lambda: restarts(settings) > 0)
        reason = read_reasons(Places(settings.data), Findings())["producer"]
    assert reason.startswith("ended by itself at 20")
    assert reason.endswith("with exit code 1: The query ended, it is started again: No topic.")


def test_status_tells_who_was_killed_by_somebody_else(settings: Settings) -> None:
    with supervised(settings, ["sleep", "1000"]) as supervisor:
        supervisor.start("producer")
        os.kill(pid_of(supervisor), signal.SIGKILL)
        wait_until("its end is counted", lambda: restarts(settings) == 1)
        reason = read_reasons(Places(settings.data), Findings())["producer"]
    assert reason.startswith("was ended at 20")
    assert reason.endswith(" by SIGKILL, not by the watcher")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Terminating due to java.lang.OutOfMemoryError: Java heap space\nbye\n",
         ": Terminating due to java.lang.OutOfMemoryError: Java heap space"),
        ("Traceback (most recent call last):\n  File 1\nKeyError: 'amount'\n",
         ": KeyError: 'amount'"),
        ("one\nflume: HDFS does not answer.\n", ": flume: HDFS does not answer."),
        ("", ""),
    ],
)  # fmt: skip
def test_last_words_are_an_error_or_else_the_last_line(
    tmp_path: Path, said: str, words: str
) -> None:
    places = Places(tmp_path)
    places.logs.mkdir()
    assert describe_end(places, "flume", AT) == f"ended by itself at {AT}", "no log at all"
    (places.logs / "supervisord.log").write_text(
        "WARN exited: flume (exit status 3; not expected)\n"
        "WARN exited: kafka (terminated by SIGKILL; not expected)\n"
    )
    (places.logs / "flume.log").write_text(said)
    assert describe_end(places, "flume", AT) == f"ended by itself at {AT} with exit code 3{words}"


def test_an_end_is_told_for_an_hour(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.run.mkdir()
    (places.run / "restarts.json").write_text(
        f'{{"flume": {{"restarts": 1, "at": "{AT}", "why": "ended"}}}}'
    )
    ended = datetime.fromisoformat(AT).astimezone(UTC).timestamp()
    assert read_whys(places, ended + TOLD_SECONDS - 1) == {"flume": "ended"}
    assert read_whys(places, ended + TOLD_SECONDS) == {}


def _full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_watchers_kills_are_not_told_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, killed = Places(tmp_path), {"hbase": "", "thrift": "was killed with hbase"}
    payloads = [f"processname:{name} groupname:x" for name in ("hbase", "thrift", "hbase")]
    told = [f"eventname:PROCESS_STATE_EXITED len:{len(one)}\n{one}" for one in payloads[:2]]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(told)))
    monkeypatch.setattr("sys.stdout", io.StringIO())
    with pytest.raises(KeyError):  # supervisord has gone away
        count_ends(places, killed)
    assert read_reasons(places, Findings()) == {"thrift": "was killed with hbase"}
    assert killed == {}
    # the next end is another one
    monkeypatch.setattr("sys.stdin", io.StringIO(told[0]))
    with pytest.raises(KeyError):
        count_ends(places, killed)
    assert read_reasons(places, Findings())["hbase"].startswith("ended by itself at 20")
    with monkeypatch.context() as full:  # where there is no room to write the watcher lives on
        full.setattr("cluster.restarts.replace_document", _full)
        full.setattr("sys.stdin", io.StringIO(told[0]))
        with pytest.raises(KeyError):
            count_ends(places, killed)
    found = read_document(places.run / "restarts.json")
    assert found is not None
    assert found["hbase"]["restarts"] == 2
