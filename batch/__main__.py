"""`python -m batch customers --file …`: one Spark job, its result as JSON on standard output."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from batch.generations import CustomerTable
from batch.job import check, members, publish, read_lines
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.settings import Settings, read_settings
from pipeline.spark import open_session
from pipeline.webhdfs import Hdfs
from producer.members import write_members
from producer.rate import PAUSE, ask_rate, asked


def main() -> None:
    """Run the job; on an error of ours the result is {"error": sentence}, and the exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m batch")
    parser.add_argument("job", choices=["customers"])
    parser.add_argument("--file", required=True, help="the customer file, a path on HDFS")
    parser.add_argument("--name", required=True, help="how the user knows the file")
    parser.add_argument("--rejected", type=Path, required=True, help="for the broken rows' numbers")
    parser.add_argument("--demo", action="store_true", help="the members are invented")
    asked_for = parser.parse_args()
    try:
        result, code = load(read_settings(), asked_for), 0
    except LoyaltyError as error:
        result, code = {"error": str(error)}, error.exit_code
    json.dump(result, sys.stdout)
    sys.exit(code)


def load(settings: Settings, asked_for: argparse.Namespace) -> dict[str, Any]:
    """Make the new generation from the file and hand the producer its pool of members."""
    places = Places(settings.data)
    table = CustomerTable(Hdfs(settings.webhdfs, user="spark"), settings.hdfs)
    spark = open_session("customers")
    lines = read_lines(spark, f"{settings.hdfs}{asked_for.file}")
    checked = check(lines, asked_for.name, asked_for.rejected)
    paused = False
    if not asked_for.demo:
        # before anything of the chain's members is to be seen: no invented order may reach them
        (places.data / "customers.loaded").touch()
        state = asked(places)
        if paused := state is not None and not state.paused:
            ask_rate(places, PAUSE)
    generation = publish(checked.frame, table)
    write_members(places, members(checked.frame))
    spark.stop()
    return {
        "rows": checked.rows - checked.broken,
        "rejected": checked.broken,
        "reasons": dict(checked.rejected),
        "generation": generation,
        "producer_paused": paused,
    }


if __name__ == "__main__":
    main()
