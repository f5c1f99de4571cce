"""docs/till.md: its two tills run as they stand there, and their orders arrive."""

import json
import uuid

import pytest

from drill.stack import OwnStack
from tests.till_page import INTERPRETERS, run
from tests.waiting import wait_until


@pytest.mark.parametrize("name", INTERPRETERS)
def test_an_examples_order_arrives(name: str, stack: OwnStack) -> None:
    till = f"doc-{uuid.uuid4().hex[:8]}"
    customer = 1_000_000_000 + uuid.uuid4().int % 1_000_000_000
    (path,) = run(name, stack.places.order_log, till, str(customer), "3", "latte", "2", "140.00")
    line = path.read_text(encoding="utf-8").rstrip("\n")

    def in_hbase() -> bool:
        found = json.loads(stack.ok("orders", str(customer), "--json"))
        return bool(found) and line.split("|")[2] in json.dumps(found)

    wait_until("HBase", in_hbase)
    question = f"select odr_menu, odr_prc from transactions_cln where order_id like '{till}-%'"
    wait_until("Hive", lambda: bool(stack.sql(question)))
    assert stack.sql(question) == [{"odr_menu": "latte", "odr_prc": "140.00"}]
