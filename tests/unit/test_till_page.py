"""docs/till.md: its two tills keep the contract, also where there is room for half a line."""

import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.order import OrderLine, parse
from producer.log import mend
from tests.till_page import INTERPRETERS, command, example, run
from tests.waiting import wait_until

VALUES = ("till7", "7", "3", "caffè", "2", "130.00")
UNLIMITED = resource.RLIM_INFINITY

PYTHON_TILL = """
import os, resource, sys

def room(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def cut_short(write):
    # gives the line that is to be written again
    try:
        write()
    except OSError as error:
        print(error, os.fstat(till["file"]).st_size, sep="|")
        traceback = error.__traceback__
        while traceback.tb_next:
            traceback = traceback.tb_next
        return traceback.tb_frame.f_locals["line"]
    sys.exit("it was written whole")

text = sys.argv.pop(1)
till = {}
room(20)
line = cut_short(lambda: exec(text, till))
room(resource.RLIM_INFINITY)
till["write"](line)
room(os.fstat(till["file"]).st_size + 20)
line = cut_short(lambda: till["write"](line.replace("|1|SALE", "|2|SALE")))
room(resource.RLIM_INFINITY)
till["write"](line)
"""
SHELL_TILL = """
write "$customer|$now|$order|2|SALE|$store|$item|$quantity|$amount|"
"""
SLEEP = """#!/bin/sh
touch waits
until [ -e room ]; do {sleep} 0.02; done
rm waits room
"""


def orders_in(path: Path) -> list[OrderLine]:
    """Give the orders of a file in which every line is whole and one."""
    text = path.read_bytes()
    assert text.endswith(b"\n") or not text
    orders = [parse(line) for line in text.splitlines()]
    good = [order for order in orders if isinstance(order, OrderLine)]
    assert len(good) == len(orders)
    return good


@pytest.mark.parametrize("name", INTERPRETERS)
def test_an_example_is_short_and_keeps_the_contract(name: str, tmp_path: Path) -> None:
    assert len([text for text in example(name).splitlines() if text.strip()]) <= 20
    made = [run(name, tmp_path, "till7", "", *VALUES[2:]) for _ in range(2)]
    for (path,) in made:
        assert re.fullmatch(r"orders.*\.log", path.name)
        (order,) = orders_in(path)
        assert (order.customer_id, order.item) == (None, "caffè")
    assert made[0] != made[1], "a new file at each start"
    half = tmp_path / made[0][0].name
    half.write_bytes(half.read_bytes()[:-1])
    assert mend(tmp_path) == [], "the producer leaves a till's files alone"


def test_the_till_in_python_takes_a_torn_line_back_and_writes_it_again(tmp_path: Path) -> None:
    """Cut short by a limit on the file's size: the first line, then the second."""
    done = subprocess.run(
        [sys.executable, "-c", PYTHON_TILL, example("till.py"), str(tmp_path), *VALUES],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (path,) = tmp_path.iterdir()
    assert [order.line_no for order in orders_in(path)] == [1, 2]
    first = path.read_bytes().index(b"\n") + 1
    says = "the disk is full; write this line again when there is room"
    assert done.stdout == f"{says}|0\n{says}|{first}\n"


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the till in shell, with a second line, in a folder whose files may have 20 bytes.

    Its `sleep` lasts until there is a file `room`; meanwhile there is a file `waits`.
    """
    (tmp_path / "orders").mkdir()
    sleep = tmp_path / "sleep"
    sleep.write_text(SLEEP.format(sleep=shutil.which("sleep")))
    sleep.chmod(0o700)
    shell, option, text, *rest = command("till.sh", tmp_path / "orders", *VALUES)
    # Python ignores the signal of this limit, and so does its child then: a write fails instead
    process = subprocess.Popen(
        ["prlimit", "--fsize=20:unlimited", "env", f"PATH={tmp_path}:/usr/bin:/bin",
         shell, option, text + SHELL_TILL, *rest],
        cwd=tmp_path, restore_signals=False, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield process
    process.kill()
    process.wait()


def test_the_till_in_shell_takes_a_torn_line_back_and_writes_it_again(
    tmp_path: Path, limited: subprocess.Popen[bytes]
) -> None:
    """Cut short by a limit on the file's size: the first line, then the second."""
    for lines, more in enumerate((100, UNLIMITED)):
        wait_until("the till waits", (tmp_path / "waits").exists)
        (path,) = (tmp_path / "orders").iterdir()
        assert len(orders_in(path)) == lines, "no half line stays"
        resource.prlimit(limited.pid, resource.RLIMIT_FSIZE, (more, UNLIMITED))
        (tmp_path / "room").touch()
        wait_until("the till goes on", lambda: not (tmp_path / "room").exists())
    assert limited.wait(timeout=10) == 0
    assert [order.line_no for order in orders_in(path)] == [1, 2]
