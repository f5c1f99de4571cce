"""Ctrl-C: each command ends with 130, and says how things stand."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer

import duckdb
import pytest
from typer.testing import CliRunner

from backup.manifest import Manifest, write_manifest
from cluster.startup import Step, run_steps
from drill.stack import describe
from pipeline.__main__ import main
from pipeline.cli import app
from pipeline.endings import endings, leaving
from pipeline.programme import read_programme
from pipeline.settings import ROOT
from tests.unit.receipt_rows import HEADER, row
from tests.waiting import wait_until

ZONE = read_programme(ROOT / "programme.toml").time_zone


@contextmanager
def begun(*arguments: str, data: Path, **settings: int) -> Iterator[subprocess.Popen[str]]:
    """Start a command for a stack that is down, but for the ports that are given."""
    variables = describe(data, **{name: str(port) for name, port in settings.items()}).environment
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments], cwd=ROOT, env=variables,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process


def stopped(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C; gives the last sentence."""
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert "error" not in said
    last = said.splitlines()[-1]
    assert last.startswith("stopped by Ctrl-C: ")
    return last.removeprefix("stopped by Ctrl-C: ")


@pytest.mark.parametrize(
    ("arguments", "port", "words"),
    [
        ("orders 7", "thrift_port", "nothing was changed."),
        ("sql select", "hiveserver2_port",
         "Hive is asked to end the statement, in a minute or two; what it had changed stays."),
        ("refresh --data-dt 2026-11-07", "namenode_http_port",
         "the snapshot of 2026-11-07 is as it was, or whole and new; run `refresh` again."),
        ("customers load CUSTOMERS", "namenode_http_port",
         "the members are as they were, or all new; load the file again."),
        ("quarantine", "namenode_http_port", "nothing was changed."),
        ("quarantine replay --reason ITEM", "namenode_http_port",
         "nothing was written into the order log; replay again."),
        ("rebuild", "namenode_http_port", "nothing was changed; run it again."),
        ("rebuild --repair", "namenode_http_port",
         "the stream goes on, and each partition is as it was or repaired; run it again."),
    ],
)  # fmt: skip
def test_who_waits_for_an_answer(tmp_path: Path, arguments: str, port: str, words: str) -> None:
    customers = tmp_path / "customers.csv"
    customers.write_text("1,2,a,b,2019-01-01,3,1980-01-01,F,1980\n")
    given = arguments.replace("CUSTOMERS", str(customers)).split()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        number = {port: silent.getsockname()[1]}
        with begun(*given, data=tmp_path / "var", **number) as process:
            connection, _ = silent.accept()
            with connection:
                assert stopped(process) == words


@pytest.mark.parametrize("name", ["config", "connect", "refreshes", "retention", "status", "unit"])
def test_who_only_reads_has_changed_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    # each of them begins with the settings; `config` imports the function when it runs
    monkeypatch.setattr("pipeline.settings.read_settings", press)
    monkeypatch.setattr(f"pipeline.commands.{name}.read_settings", press, raising=False)
    done = CliRunner().invoke(app, [name])
    assert (done.exit_code, done.stdout) == (130, "")
    assert done.stderr == "stopped by Ctrl-C: nothing was changed.\n"


@pytest.mark.parametrize(
    ("arguments", "at", "words"),
    [
        ("up", "pipeline.commands.up._start",
         "what has been started runs on; `./loyalty up` goes on, `./loyalty down` stops it."),
        ("down", "cluster.shutdown.stop_all",
         "what has stopped is down, the rest runs on; `./loyalty down` goes on."),
        ("backup COPY", "backup.taking.take_backup",
         "nothing was kept of the backup, and Flume and the stream go on; run it again."),
        ("restore COPY", "backup.manifest.check_files", "nothing was changed."),
        ("restore COPY", "pipeline.commands.backup._restore",
         "var is half restored; `./loyalty down --purge`, then restore again."),
        ("doctor", "cluster.doctor.examine", "nothing was changed."),
        ("rate 5/s", "producer.rate.ask_rate",
         "`./loyalty status` shows what the producer is asked for."),
        ("completion bash", "pipeline.commands.completion.Path.read_text",
         "`completion SHELL --install` goes on where it stopped."),
        ("verify", "pipeline.verify.comparison.Comparison", "nothing was changed; run it again."),
        ("drill kills", "drill.course.run",
         "the drill's stack is down, and its data is removed."),
        ("test --unit", "subprocess.run", "no stack of the tests is left behind."),
    ],
)  # fmt: skip
def test_who_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, at: str, words: str
) -> None:
    def press(*_given: object, **_named: object) -> None:
        raise KeyboardInterrupt

    copy, data = tmp_path / "copy", tmp_path / "var"
    copy.mkdir()
    write_manifest(copy, Manifest("", ZONE, 24, "empty", customers_loaded=False, positions={},
                                  snapshots=[], items=[]))  # fmt: skip
    if arguments == "down":
        data.mkdir()
    for name, value in describe(data).environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(at, press)
    done = CliRunner().invoke(app, arguments.replace("COPY", str(copy)).split())
    assert done.exit_code == 130, done.output
    assert done.stderr.splitlines()[-1].replace(f"{tmp_path}/", "") == f"stopped by Ctrl-C: {words}"


def test_produce_says_what_was_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with begun("produce", "--count", "1000000", "--out", str(out), data=tmp_path) as process:
        wait_until("it writes", lambda: any(f.stat().st_size for f in out.glob("*.log")), 60)
        lines, _, words = stopped(process).removeprefix("at least ").partition(" ")
    (file,) = out.glob("*.log")
    # Ctrl-C may come between a line and its count
    assert file.read_bytes().count(b"\n") - int(lines.replace(",", "")) in {0, 1}
    assert words == "whole lines were written, and stay."


def test_replay_says_what_was_written(tmp_path: Path) -> None:
    export, log = tmp_path / "receipts.csv", tmp_path / "var" / "orders-log"
    os.mkfifo(export)
    with (
        begun("replay", str(export), data=tmp_path / "var") as process,
        export.open("r+b", buffering=0) as till,  # an export that has no end yet
    ):
        till.write(f"{HEADER}\n{row()}\n".encode() + f"{row()}\n".encode() * 500)
        wait_until("it writes", lambda: any(f.stat().st_size for f in log.rglob("*.log")), 60)
        said = stopped(process)
    assert said.endswith("replay the file again: what was written does not count twice.")
    (file,) = log.rglob("*.log")
    lines = int(said.removeprefix("at least ").partition(" ")[0].replace(",", ""))
    assert file.read_bytes().count(b"\n") - lines in {0, 1}


def test_logs_that_are_followed(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "kafka.log").write_text("started\n")
    with begun("logs", "kafka", "-f", data=tmp_path) as process:
        assert process.stdout
        assert process.stdout.readline() == "started\n"
        assert stopped(process) == "the component runs on."


def press_ctrl_c(work: Callable[[], object]) -> None:
    timer = Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    try:
        work()
    finally:
        timer.join()


def test_duckdbs_own_interruption_is_a_ctrl_c() -> None:
    slow = "select max(md5(range::varchar)) from range(30000000)"
    with (
        duckdb.connect(config={"memory_limit": "100MB"}) as scratch,
        pytest.raises(KeyboardInterrupt, match=r"^nothing was changed\.$"),
        leaving("nothing was changed."),
    ):
        press_ctrl_c(lambda: scratch.execute(slow).fetchall())


def test_other_runtime_errors_are_bugs() -> None:
    with pytest.raises(RuntimeError, match="broken"), endings(), leaving("nothing"):
        raise RuntimeError("broken")


def test_a_start_waits_for_no_answer_any_more() -> None:
    halt = Event()
    steps = [Step("kafka", "Kafka", lambda: halt.wait(60))]
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c(lambda: run_steps(steps, lambda *_: None, halt))
    assert halt.is_set()


def test_the_innermost_says_it() -> None:
    with pytest.raises(KeyboardInterrupt, match=r"^inner$"), leaving("outer"), leaving("inner"):
        raise KeyboardInterrupt


def test_while_the_modules_are_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class CtrlC:
        def find_spec(self, name: str, *_more: object) -> None:
            if name == "pipeline.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "pipeline.cli")
    monkeypatch.setattr(sys, "meta_path", [CtrlC(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "stopped by Ctrl-C: nothing was done.\n"


_UNHEARD = """
import os, sys, time
from pipeline.signals import ends_once, hear_again

class Dying:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))

if sys.argv[2] == "again":
    hear_again()
with ends_once():
    Dying()
    time.sleep(5)
print("went on")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_a_finalizer_is_heard_all_the_same(number: signal.Signals) -> None:
    """Python raises nothing there; without `hear_again` the body goes on to its end."""

    def run(mode: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-c", _UNHEARD, str(int(number)), mode]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)

    found = run("again")
    assert found.returncode == {signal.SIGINT: -signal.SIGINT}.get(number, 128 + number)
    assert "went on" not in found.stdout
    assert "Exception ignored" not in found.stderr
    assert run("never").stdout == "went on\n"
