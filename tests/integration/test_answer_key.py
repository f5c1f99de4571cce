"""All faults at once, through the real servers, and each of them found again by its key."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from drill.stack import OwnStack
from producer.faults import NAMES
from producer.malformed import REASONS

FAULTS = ",".join(f"{name}=0.02" for name in NAMES)


def verified(stack: OwnStack, key: Path) -> dict[str, Any]:
    """Compare a key with everything; the exit code must say what the object says."""
    done = stack.run("verify", "--wait", "--json", "--answer-key", str(key))
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if document["ok"] else 1), done.stdout
    return document


@pytest.fixture(scope="module")
def key(stack: OwnStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 3,000 orders with every fault, half of them now and half of them at a time in 2019."""
    path = tmp_path_factory.mktemp("key") / "key.tsv"
    for options in (("--rate", "500/s"), ("--start", "2019-11-02T22:00:00", "--rate", "10s")):
        stack.ok("produce", "--count", "1500", "--seed", "7", "--faults", FAULTS,
                 "--answer-key", str(path), *options)  # fmt: skip
    return path


def test_every_planted_fault_is_found(stack: OwnStack, key: Path) -> None:
    faults = Counter(row.split("\t")[3] for row in key.read_text("ascii").splitlines()[1:])
    assert {f"malformed:{reason}" for reason in REASONS} <= faults.keys()
    assert {name for name in NAMES if name != "malformed"} <= faults.keys()
    document = verified(stack, key)
    assert document["differences"] == []
    planted = faults.total() - faults[""]
    assert document["key"] == {
        "lines": faults.total(), "lost": 0, "duplicated": 0, "wrong": 0,
        "planted": planted, "found": planted,
    }  # fmt: skip


def test_what_a_key_has_and_no_store_is_named(stack: OwnStack, key: Path) -> None:
    more = key.with_name("more.tsv")
    never = "7|1795521600000|NEVER-1|1|SALE"
    more.write_text(f"{key.read_text('ascii')}{never}\t{'5' * 32}\t65.00\t\n", "ascii")
    document = verified(stack, more)
    assert not document["ok"]
    assert document["key"]["lost"] == document["found"] == 1
    (difference,) = document["differences"]
    assert never in difference["says"]


def test_another_reason_and_a_line_that_is_no_conflict_are_named(
    stack: OwnStack, key: Path
) -> None:
    other = key.with_name("other.tsv")
    text = key.read_text("ascii").replace("malformed:ITEM", "malformed:STORE", 1)
    other.write_text(text.replace("\tconflict\n", "\t\n", 1), "ascii")
    document = verified(stack, other)
    assert document["key"]["wrong"] == document["found"] == 2
    assert {(d["hop"], d["kind"]) for d in document["differences"]} == {
        ("quarantine", "wrong"), ("transactions_cln", "wrong")}  # fmt: skip
