"""docs/till.md: its two tills run as they stand there, and their orders arrive."""

import json
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from pipeline.order import OrderLine, parse
from pipeline.settings import ROOT
from producer.log import mend
from tests.integration.conftest import RunningStack
from tests.waiting import wait_until

PAGE = ROOT / "docs" / "till.md"
INTERPRETERS = {"till.py": sys.executable, "till.sh": "sh"}


def example(name: str) -> str:
    """Give a block of code of the page, by the name in the comment before it."""
    found = re.search(
        rf"^<!-- example: {re.escape(name)} -->\n```\w+\n(.*?)^```$",
        PAGE.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    assert found, f"{PAGE.name} has no example {name}"
    return found[1]


def run(name: str, folder: Path, *values: str) -> list[Path]:
    """Run an example on a folder; gives the files that it made."""
    before = set(folder.iterdir())
    subprocess.run(
        [INTERPRETERS[name], "-c", example(name), *(["till.sh"] if name == "till.sh" else []),
         str(folder), *values],
        check=True,
    )  # fmt: skip
    return sorted(set(folder.iterdir()) - before)


@pytest.mark.parametrize("name", INTERPRETERS)
def test_an_example_is_short_and_keeps_the_contract(name: str, tmp_path: Path) -> None:
    assert len([text for text in example(name).splitlines() if text.strip()]) <= 20
    made = [run(name, tmp_path, "till7", "", "3", "caffè", "2", "130.00") for _ in range(2)]
    for (path,) in made:
        assert re.fullmatch(r"orders.*\.log", path.name)
        text = path.read_bytes()
        assert text.count(b"\n") == 1
        order = parse(text.removesuffix(b"\n"))
        assert isinstance(order, OrderLine)
        assert (order.customer_id, order.item) == (None, "caffè")
    assert made[0] != made[1], "a new file at each start"
    half = tmp_path / made[0][0].name
    half.write_bytes(half.read_bytes()[:-1])
    assert mend(tmp_path) == [], "the producer leaves a till's files alone"


@pytest.mark.parametrize("name", INTERPRETERS)
def test_an_examples_order_arrives(name: str, stack: RunningStack) -> None:
    till = f"doc-{uuid.uuid4().hex[:8]}"
    customer = 1_000_000_000 + uuid.uuid4().int % 1_000_000_000
    (path,) = run(name, stack.places.order_log, till, str(customer), "3", "latte", "2", "140.00")
    line = path.read_text(encoding="utf-8").rstrip("\n")

    def in_hbase() -> bool:
        found = json.loads(stack.ok("orders", str(customer), "--json"))
        return bool(found) and line.split("|")[2] in json.dumps(found)

    wait_until("HBase", in_hbase)
    question = f"select odr_menu, odr_prc from transactions_cln where order_id like '{till}-%'"
    wait_until("Hive", lambda: bool(json.loads(stack.ok("sql", "--json", question))))
    assert json.loads(stack.ok("sql", "--json", question)) == [
        {"odr_menu": "latte", "odr_prc": "140.00"}
    ]
