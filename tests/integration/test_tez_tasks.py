"""What HiveServer2 brings for a statement's tasks, by its class in the place of one of Tez."""

import os
from pathlib import Path
from zipfile import ZipFile

import pytest
import requests

from cluster.classes import class_folder
from cluster.jars import jar_folders
from drill.stack import OwnStack
from hive.session import open_session
from pipeline.errors import LoyaltyError
from tests.integration.signatures import members
from tests.integration.warehouse import AT, Warehouse
from tests.waiting import wait_until

CLASS = "org.apache.tez.dag.app.launcher.TezLocalCacheManager"
TIMES = "while read n; do echo $(({} * n)); done\n"
MADE = "select transform(cust_id) using 'sh {}' as (n int) from transactions_cln"


def bytes_read(stack: OwnStack) -> int:
    """Give what our DataNode has read for others."""
    at = f"http://127.0.0.1:{stack.settings.datanode_http_port}/jmx"
    question = {"qry": "Hadoop:service=DataNode,name=DataNodeActivity-*"}
    (bean,) = requests.get(at, params=question, timeout=10).json()["beans"]
    return int(bean["BytesRead"])


def test_the_class_has_the_members_of_tezs(quiet_stack: OwnStack) -> None:
    (jar,) = jar_folders()["hive"].glob("tez-dag-*.jar")
    assert members(class_folder("hive"), CLASS) == members(jar, CLASS) != set()


def test_hive_itself_is_not_fetched_for_a_task(warehouse: Warehouse, quiet_stack: OwnStack) -> None:
    """Tez's own class reads hive-exec of 83 MB from HDFS for each of them. (The DataNode counts at
    once, and shows it some seconds later.)
    """
    warehouse.add_transactions(AT.date(), [(1, "70.00"), (2, "60.50")])
    question = "select count(distinct cust_id) from transactions_cln"
    assert warehouse.session.rows(question) == [(2,)]
    before = bytes_read(quiet_stack)
    assert warehouse.session.rows(question) == [(2,)]
    wait_until("the DataNode shows it", lambda: bytes_read(quiet_stack) > before)
    assert bytes_read(quiet_stack) - before < 1_000_000


def test_what_a_statement_adds_is_there_for_its_tasks_alone(
    warehouse: Warehouse, quiet_stack: OwnStack, tmp_path: Path
) -> None:
    warehouse.add_transactions(AT.date(), [(1, "70.00"), (2, "60.50")])
    run = quiet_stack.places.run
    script = tmp_path / "times.sh"
    script.write_text(TIMES.format(2))
    with ZipFile(tmp_path / "tools.zip", "w") as archive:
        archive.writestr("times.sh", TIMES.format(3))
    # as of a HiveServer2 that was killed amid a task
    (run / script.name).symlink_to(tmp_path / "gone")
    warehouse.session.run(f"add file {script}")
    warehouse.session.run(f"add archive {archive.filename}")
    assert sorted(warehouse.session.rows(MADE.format("times.sh"))) == [(2,), (4,)]
    assert sorted(warehouse.session.rows(MADE.format("tools.zip/times.sh"))) == [(3,), (6,)]
    brought = (script.name, "tools.zip")
    wait_until("nothing is left", lambda: not any(map(os.path.lexists, map(run.joinpath, brought))))
    assert [*run.glob("tez-*"), *quiet_stack.places.temporary.glob("tez-local-cache*")] == []
    (database,) = warehouse.session.rows("select current_database()")[0]
    with open_session(quiet_stack.settings) as another:
        another.run(f"use {database}")
        with pytest.raises(LoyaltyError, match=r"^The statement failed: "):
            another.rows(MADE.format("times.sh"))


def test_a_file_of_the_server_is_not_taken_for_an_added_one(
    warehouse: Warehouse, quiet_stack: OwnStack, tmp_path: Path
) -> None:
    warehouse.add_transactions(AT.date(), [(1, "70.00")])
    script = tmp_path / "settings.json"
    script.write_text(TIMES.format(2))
    before = (quiet_stack.places.run / script.name).read_bytes()
    warehouse.session.run(f"add file {script}")
    with pytest.raises(LoyaltyError):
        warehouse.session.rows(MADE.format(script.name))
    assert (quiet_stack.places.run / script.name).read_bytes() == before
