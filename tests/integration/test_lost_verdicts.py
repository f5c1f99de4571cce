"""A damaged file of quarantine, on the real servers: nothing else tells its lines from sales."""

import json
import time
import uuid
from io import BytesIO

import pyarrow.parquet as pq

from drill.stack import OwnStack
from pipeline.places import QUARANTINE
from pipeline.stores.tables import table_files
from pipeline.webhdfs import Hdfs


def test_a_damaged_file_of_quarantine_is_set_aside_and_its_lines_are_judged_again(
    stack: OwnStack,
) -> None:
    """A line that came too early would else be a sale."""
    hdfs = Hdfs(stack.settings.webhdfs, user="spark")
    run = uuid.uuid4().hex[:8]
    ahead = round((time.time() + 86_400) * 1000)
    lines = [f"7|{ahead}|EARLY-{run}|1|SALE|3|latte|1|70.00|", f"BAD-{run}"]
    stack.ok("produce", "--from", "-", stdin="".join(f"{line}\n" for line in lines))
    stack.ok("verify", "--wait")

    def verdicts() -> list[tuple[str, str, int]]:
        rows = stack.sql(
            "select reason, cast(raw as string) raw, kafka_offset from quarantine"
            f" where cast(raw as string) like '%-{run}%'"
        )
        return sorted((row["reason"], row["raw"], row["kafka_offset"]) for row in rows)

    before = verdicts()
    assert [reason for reason, *_ in before] == ["FIELDS", "FUTURE"]
    damaged = [
        file.path
        for file in table_files(hdfs, QUARANTINE, lambda _day: True)
        if run.encode() in b"".join(pq.read_table(BytesIO(hdfs.read(file.path)),
                                                  partitioning=None)["raw"].to_pylist())
    ]  # fmt: skip
    for path in damaged:
        hdfs.write(path, b"garbage")
    listing = stack.run("quarantine")
    assert listing.returncode == 1
    assert f"{damaged[0]} is no file of quarantine that can be read" in listing.stderr.replace(
        "\n", ""
    )

    found = json.loads(stack.run("rebuild", "--json").stdout)
    assert (found["ok"], found["damaged_verdicts"]) == (False, damaged)
    assert found["missing"] == 0, "no sale"
    assert found["unjudged"] >= len(lines)
    repaired = json.loads(stack.ok("rebuild", "--repair", "--json"))
    assert len(repaired["set_aside"]) == len(damaged)
    assert all(hdfs.read(path) == b"garbage" for path in repaired["set_aside"])
    stack.ok("verify", "--wait")
    assert verdicts() == before
