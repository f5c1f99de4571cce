"""`python -m batch customers|rebuild …`: one Spark job, its result as JSON on standard output.

A line with what it says meanwhile may come before: see batch.process.
"""

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from batch.job import check, members, publish, read_lines
from batch.lifeline import end_with_parent
from batch.process import BEGINS, DID, SAYS
from batch.rebuild import rebuild
from hive.generations import GenerationTable
from pipeline.errors import LoyaltyError
from pipeline.places import CUSTOMERS, Places
from pipeline.progress import LIVE_SECONDS, Progress
from pipeline.settings import Settings, read_settings
from pipeline.spark import open_session
from pipeline.verify.scope import Scope
from pipeline.webhdfs import Hdfs
from producer.members import write_members
from producer.rate import PAUSE, ask_rate, asked


def main() -> None:
    """Run the job; the result of an error of ours is {"error": sentence, "kind": its class}."""
    parser = argparse.ArgumentParser(prog="python -m batch")
    jobs = parser.add_subparsers(dest="job", required=True)
    customers = jobs.add_parser("customers")
    customers.add_argument("--file", required=True, help="the customer file, a path on HDFS")
    customers.add_argument("--name", required=True, help="how the user knows the file")
    customers.add_argument("--rejected", type=Path, required=True, help="for broken rows' numbers")
    customers.add_argument("--demo", action="store_true", help="the members are invented")
    customers.set_defaults(run=load)
    again = jobs.add_parser("rebuild")
    again.add_argument("--from", dest="first", type=date.fromisoformat, help="a business date")
    again.add_argument("--to", dest="last", type=date.fromisoformat, help="included")
    again.add_argument("--most", type=int, default=20, help="so many differences are listed")
    again.add_argument("--repair", action="store_true", help="the stream stands meanwhile")
    again.set_defaults(run=rebuild_transactions)
    asked_for = parser.parse_args()
    end_with_parent()
    try:
        result, code = asked_for.run(read_settings(), asked_for), 0
    except LoyaltyError as error:
        result, code = {"error": str(error), "kind": type(error).__name__}, error.exit_code
    json.dump(result, sys.stdout)
    sys.exit(code)


def load(settings: Settings, asked_for: argparse.Namespace) -> dict[str, Any]:
    """Make the new generation from the file and hand the producer its pool of members."""
    places = Places(settings.data)
    hdfs = Hdfs(settings.webhdfs, user="spark")
    table = GenerationTable(hdfs, settings.hdfs, "customers_cln", CUSTOMERS, settings.grace_seconds)
    spark = open_session("customers")
    lines = read_lines(spark, f"{settings.hdfs}{asked_for.file}")
    checked = check(lines, asked_for.name, asked_for.rejected)
    paused = False
    if not asked_for.demo:
        # before anything of the chain's members is to be seen: no invented order may reach them
        places.customers_loaded.touch()
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


def rebuild_transactions(settings: Settings, asked_for: argparse.Namespace) -> dict[str, Any]:
    """Compare, and repair if asked to."""
    dates = Scope(asked_for.first, asked_for.last)
    found = rebuild(settings, dates, asked_for.most, say, begin, repair=asked_for.repair)
    return found.to_json()


def say(sentence: str) -> None:
    """Say something to the user while the job goes on."""
    print(json.dumps({SAYS: sentence}), flush=True)


def begin(title: str, unit: str) -> Progress:
    """Say what is done from now on, and then how much of it, some times a second."""
    print(json.dumps({BEGINS: [title, unit]}), flush=True)
    due = 0.0

    def tell(done: int, total: int | None) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due or done == total:
            due = now + LIVE_SECONDS
            print(json.dumps({DID: [done, total]}), flush=True)

    return tell


if __name__ == "__main__":
    main()
