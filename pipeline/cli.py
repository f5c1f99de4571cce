"""The command line: every command in the order of its use, and how errors end."""

import os
import sys

import typer
from rich.text import Text

from pipeline.commands import (
    customers,
    orders,
    processes,
    produce,
    quarantine,
    rate,
    rebuild,
    refresh,
    replay,
    sql,
)
from pipeline.commands import test as tests
from pipeline.commands import up as start
from pipeline.commands import verify as verification
from pipeline.console import err
from pipeline.errors import LoyaltyError

app = typer.Typer(
    name="loyalty",
    help="An open loyalty pipeline on real servers: Kafka, HDFS, HBase, Hive, Flume and Spark.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

RUN, FEED, ASK = "Run it", "Feed it", "Ask it"
app.command("up", rich_help_panel=RUN)(start.up)
app.command("down", rich_help_panel=RUN)(processes.down)
app.command("status", rich_help_panel=RUN)(processes.status)
app.command("logs", rich_help_panel=RUN)(processes.logs)
app.command("test", rich_help_panel=RUN)(tests.test)
# so that `rate -1` is a wrong rate and not an unknown option
app.command("rate", rich_help_panel=FEED, context_settings={"ignore_unknown_options": True})(
    rate.rate
)
app.command("produce", rich_help_panel=FEED)(produce.produce)
app.command("replay", rich_help_panel=FEED)(replay.replay)
app.add_typer(customers.app, name="customers", rich_help_panel=FEED)
app.command("refresh", rich_help_panel=ASK)(refresh.refresh)
app.command("sql", rich_help_panel=ASK)(sql.sql)
app.command("orders", rich_help_panel=ASK)(orders.orders)
app.command("verify", rich_help_panel=ASK)(verification.verify)
app.command("rebuild", rich_help_panel=ASK)(rebuild.rebuild)
app.add_typer(quarantine.app, name="quarantine", rich_help_panel=ASK)


def main() -> None:
    """Run one command. Exit code 0, 1 for an error of ours, 2 for wrong usage, 130 for Ctrl-C."""
    try:
        app(prog_name="./loyalty")
    except LoyaltyError as error:
        err.print("[red]error:[/red]", Text(str(error)), soft_wrap=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # whoever read our output has left (`… | head`): that is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        err.print("stopped by Ctrl-C")
        sys.exit(130)
