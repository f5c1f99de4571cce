"""Flume's reader of log files, with the product's class path: every byte of a line is kept.

There is no server in these tests: tests/integration/Tail.java drives Flume's own reader, which
uses the class of flume/java, and the agent's interceptor that cuts long lines. A line ends at a
line feed, one carriage return before that belongs to the end, everything else to the line.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cluster.classes import class_folder, compile_classes
from cluster.component import read_components
from cluster.configuration import render
from cluster.jars import resolve_jars
from cluster.java import environment, java_command
from pipeline.places import Places
from pipeline.progress import unseen
from pipeline.settings import Settings
from tests.integration.signatures import members
from tests.integration.tailing import (
    BUFFER,
    CUT,
    Lines,
    Tail,
    compiled_driver,
    ends_at_the_buffers_end,
    lines_of,
    shown,
    written,
)

StartTail = Callable[..., Tail]


@pytest.fixture(scope="module")
def jars() -> dict[str, Path]:
    folders = resolve_jars(unseen)
    compile_classes("flume", folders["flume"])
    return folders


@pytest.fixture(scope="module")
def driver(jars: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled_driver(jars["flume"], tmp_path_factory.mktemp("driver"))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A folder of log files."""
    folder = tmp_path / "log"
    folder.mkdir()
    return folder


@pytest.fixture
def start(jars: dict[str, Path], driver: Path, log: Path, tmp_path: Path) -> Iterator[StartTail]:
    """Start a reader of the folder, by the agent's own command line but for its main class."""
    settings = Settings(data=tmp_path / "data")
    # not into the data folder: the agent logs to stdout, which is for answers here
    places = Places(tmp_path / "agent")
    render(settings, places, "UTC", jars)
    configuration = places.conf / "flume" / "flume.conf"
    with ExitStack() as ends:

        def start(*, own: bool = True) -> Tail:
            command = java_command(
                read_components()["flume"], settings, jars, main="Tail",
                arguments=(str(log), str(tmp_path / "positions.json"), str(configuration)),
            )  # fmt: skip
            at = command.index("-cp") + 1
            entries = [*command[at].split(":"), str(driver)]
            if not own:
                entries.remove(str(class_folder("flume")))
            command[at] = ":".join(entries)
            tail = Tail(command, environment(read_components()["flume"], settings))
            ends.enter_context(tail.process)
            ends.callback(tail.process.kill)
            return tail

        yield start


@pytest.mark.parametrize("batch", [1, 2_000, 1_000_000])
def test_every_byte_of_a_line_is_kept_wherever_the_buffer_ends(
    start: StartTail, log: Path, batch: int
) -> None:
    expected = written(log)
    tail = start()
    assert tail.ask(f"read {batch}") == expected
    assert tail.ask(f"read {batch}") == {}


def test_flumes_own_class_drops_carriage_returns_and_nothing_else(
    start: StartTail, log: Path
) -> None:
    """The test above can fail; and a Flume that drops none needs no class of ours."""
    expected = written(log)
    found = start(own=False).ask("read 1000000")
    assert found.keys() == expected.keys()
    other = [name for name in expected if found[name] != expected[name]]
    assert "long.log" in other
    assert "dense.log" in other
    for name in other:
        assert [offset for offset, _ in found[name]] == [offset for offset, _ in expected[name]]
    wrong = [
        (bytes.fromhex(is_body), bytes.fromhex(body))
        for (_, is_body), (_, body) in zip(found["dense.log"], expected["dense.log"], strict=True)
        if is_body != body
    ]
    assert wrong
    assert all(len(kept) == len(body) - 1 for kept, body in wrong)
    assert all(kept.replace(b"\r", b"") == body.replace(b"\r", b"") for kept, body in wrong)


def test_a_line_comes_once_its_end_is_there(start: StartTail, log: Path) -> None:
    chance = random.Random(9)
    data = ends_at_the_buffers_end(b"x")[: 20 * BUFFER] + bytes(chance.choices(b"\r\na", k=20_000))
    file, tail = log / "a.log", start()
    came: Lines = []
    size = 0
    while size < len(data):
        # also between a carriage return and its line feed, and right behind a buffer's end
        end = size + chance.choice((1, 2, 3, 100, BUFFER - 1, BUFFER, BUFFER + 1))
        with file.open("ab") as out:
            out.write(data[size:end])
        size = end
        came += tail.ask("read 100").get("a.log", [])
        assert came == lines_of(data[:size])


def test_half_a_line_is_held_back_and_may_be_taken_back(start: StartTail, log: Path) -> None:
    file, tail = log / "a.log", start()
    file.write_bytes(b"one\r\nha\rlf" + b"f" * 20_000 + b"\r")
    assert tail.ask("read 10") == {"a.log": [(0, shown(b"one"))]}
    assert tail.ask("positions") == {"a.log": [(5, "")]}
    with file.open("r+b") as out:  # as docs/till.md has it for a torn line
        out.truncate(5)
        out.seek(5)
        out.write(b"two\n\r\nth")
    assert tail.ask("read 10") == {"a.log": [(5, shown(b"two")), (9, "-")]}
    # however long the file is idle: what Flume asks of it before it closes it
    assert tail.ask("rest 10") == {}
    assert tail.ask("positions") == {"a.log": [(11, "")]}
    with file.open("r+b") as out:
        out.truncate(11)
        out.seek(11)
        out.write(b"x\n")
    assert tail.ask("read 10") == {"a.log": [(11, shown(b"x"))]}


def test_a_file_that_has_just_been_opened_is_not_idle(start: StartTail, log: Path) -> None:
    """Flume's own class says 1970: after the agent's first day it was closed within 5 s."""
    begun = time.time_ns() // 1_000_000
    (log / "a.log").write_bytes(b"on")
    ((since, _),) = start().ask("since")["a.log"]
    assert begun <= since <= time.time_ns() // 1_000_000
    ((flumes, _),) = start(own=False).ask("since")["a.log"]
    assert flumes == 0


def test_a_batch_that_was_not_taken_comes_again_after_another_file(
    start: StartTail, log: Path
) -> None:
    """Flume's own class reads on behind it, when Flume has forgotten which file it was."""
    for name in ("a.log", "b.log"):
        (log / name).write_bytes(b"one\ntwo\nthree\n")
    tail = start()
    assert tail.ask("peek 1") == {"a.log": [(0, shown(b"one"))], "b.log": [(0, shown(b"one"))]}
    expected = lines_of(b"one\ntwo\nthree\n")
    assert tail.ask("read 1") == {"a.log": expected, "b.log": expected}


def test_a_file_that_cannot_be_opened_stops_no_other(start: StartTail, log: Path) -> None:
    (log / "a.log").write_bytes(b"one\n")
    assert start().ask("folder 10") == {"a.log": [(0, shown(b"one"))]}


def test_what_the_channel_has_not_taken_comes_again(start: StartTail, log: Path) -> None:
    data = b"".join(b"%d\r\r\n" % number for number in range(5_000))
    (log / "a.log").write_bytes(data)
    tail = start()
    assert tail.ask("peek 3000") == tail.ask("peek 3000") == {"a.log": lines_of(data)[:3_000]}
    assert tail.ask("positions") == {"a.log": [(0, "")]}
    assert tail.ask("read 700") == {"a.log": lines_of(data)}


def test_a_new_agent_reads_on_where_the_position_file_says(
    start: StartTail, log: Path, tmp_path: Path
) -> None:
    file = log / "a.log"
    file.write_bytes(b"one\r\ntwo\nthr\ree\n")
    position = {"inode": file.stat().st_ino, "pos": 5, "file": str(file)}
    (tmp_path / "positions.json").write_text(json.dumps([position]))
    tail = start()
    assert tail.ask("positions") == {"a.log": [(5, "")]}
    assert tail.ask("read 10") == {"a.log": [(5, shown(b"two")), (9, shown(b"thr\ree"))]}


def test_a_file_that_became_shorter_is_read_from_its_begin(start: StartTail, log: Path) -> None:
    file, tail = log / "a.log", start()
    file.write_bytes(b"first\nsecond\n")
    assert tail.ask("read 1") == {"a.log": lines_of(b"first\nsecond\n")}
    file.write_bytes(b"anew\r\n")
    assert tail.ask("read 1") == {"a.log": [(0, shown(b"anew"))]}


def test_a_file_that_was_written_anew_in_its_place_is_read_from_its_begin(
    start: StartTail, log: Path
) -> None:
    """Else an order that nobody wrote may come of the end of one: 234 of customer 1234."""
    file, tail = log / "a.log", start()
    file.write_bytes(b"first\nsecond\n")
    tail.ask("read 10")
    file.write_bytes(b"one line that is longer\nlast\n")
    expected = lines_of(b"one line that is longer\nlast\n")
    assert tail.ask("read 10") == {"a.log": expected}
    with file.open("ab") as out:
        out.write(b"more\n")
    assert tail.ask("read 10") == {"a.log": [(29, shown(b"more"))]}


def test_what_is_no_file_and_second_names_stop_and_repeat_nothing(
    start: StartTail, log: Path
) -> None:
    """Flume's own class waits in the FIFO for ever, and reads a.log again for each other name."""
    (log / "a.log").write_bytes(b"one\n")
    (log / "0.log").symlink_to("a.log")
    (log / "b.log").hardlink_to(log / "a.log")
    (log / "c.log").symlink_to("nothing")
    (log / "d.log").symlink_to("d.log")
    os.mkfifo(log / "e.log")
    (log / "folder.log").mkdir()
    (log / os.fsdecode(b"\xff.log")).write_bytes(b"two\n")
    (log / "é\n\r.log").write_bytes(b"three\n")
    tail = start()
    three = {"é__.log": [(0, shown(b"three"))]}
    assert tail.ask("read 10") == {"a.log": [(0, shown(b"one"))], **three}
    with (log / "b.log").open("ab") as out:
        out.write(b"four\n")
    assert tail.ask("read 10") == {"a.log": [(4, shown(b"four"))]}
    assert tail.ask("read 10") == {}


def test_a_line_of_200_mb_is_cut_and_the_next_one_whole(start: StartTail, log: Path) -> None:
    """With the agent's heap of 128 MiB, in which no such line finds room."""
    piece, pieces = b"x\r" * 500_000, 200
    with (log / "a.log").open("wb") as out:
        for _ in range(pieces):
            out.write(piece)
    tail = start()
    assert tail.ask("read 10") == {}
    with (log / "a.log").open("ab") as out:
        out.write(b"x\r\nnext\n")
    expected = [(0, shown(piece[:CUT])), (pieces * len(piece) + 3, shown(b"next"))]
    assert tail.ask("read 10") == {"a.log": expected}


@pytest.mark.parametrize("filler", [b"x", b"\r", b"x\r"])
def test_a_line_is_cut_behind_65536_bytes_wherever_its_returns_are(
    start: StartTail, log: Path, filler: bytes
) -> None:
    data = b"".join(
        (filler * CUT)[: CUT + more] + end
        for more in range(-3, 4)
        for end in (b"\n", b"\r\n", b"\r\r\n", b"x\n", b"x\r\n")
    )
    (log / "a.log").write_bytes(data)
    assert start().ask("read 1000") == {"a.log": lines_of(data)}


def test_a_batch_of_long_lines_ends_before_it_fills_the_agents_heap(
    start: StartTail, log: Path
) -> None:
    line = b"x" * 65_600 + b"\n"
    (log / "a.log").write_bytes(line * 2_000)
    tail = start()
    expected = lines_of(line * 2_000)
    assert tail.ask("peek 2000") == {"a.log": expected[: (4 << 20) // len(line) + 1]}
    assert tail.ask("read 2000") == {"a.log": expected}


@pytest.mark.parametrize(
    ("name", "lacks"), [("TailFile", {"readLine"}), ("TaildirMatcher", {"equals", "hashCode"})]
)
def test_a_class_has_the_members_of_flumes(
    jars: dict[str, Path], name: str, lacks: set[str]
) -> None:
    """Except readLine, whose result is of a private class; matchers are compared with none."""
    (jar,) = jars["flume"].glob("flume-taildir-source-*.jar")
    full = f"org.apache.flume.source.taildir.{name}"
    ours, flumes = members(class_folder("flume"), full), members(jar, full)
    assert ours < flumes
    assert {line.split("(")[0].split()[-1] for line in flumes - ours} == lacks
