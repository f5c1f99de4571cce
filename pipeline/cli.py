"""The command line: every command in the order of its use, and how errors end."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer
from rich.text import Text
from typer.core import TyperGroup

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

DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class Commands(TyperGroup):
    """All commands. Typer has its own ends for Ctrl-C and a broken pipe, so ours come first."""

    def invoke(self, ctx: Any) -> Any:
        """Run one command; a wrong option stays Typer's to show, with exit code 2."""
        with endings():
            return super().invoke(ctx)


@contextmanager
def endings() -> Iterator[None]:
    """Turn every end of a command that is no bug into its words and its exit code.

    0 when whoever read our output has left; 1 for an error of ours and a full disk, 2 for wrong
    usage, 130 for Ctrl-C. Any other exception is a bug and passes with its traceback.
    """
    try:
        yield
        sys.stdout.flush()
    except LoyaltyError as error:
        say_error(str(error))
        raise typer.Exit(error.exit_code) from error
    except BrokenPipeError as error:  # `… | head`
        drop_output()
        raise typer.Exit(0) from error
    except KeyboardInterrupt as error:
        err.print("stopped by Ctrl-C")
        raise typer.Exit(130) from error
    except (FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        say_error(f"{error.filename}: {error.strerror}; give another path, or make this one free.")
        raise typer.Exit(1) from error
    except Exception as error:
        if not is_disk_full(error):
            raise
        say_error(f"The disk is full ({error}); make room on it, then run the command again.")
        try:
            sys.stdout.flush()
        except OSError:
            drop_output()
        raise typer.Exit(1) from error


def say_error(sentence: str) -> None:
    err.print("[red]error:[/red]", Text(sentence), soft_wrap=True)


def is_disk_full(error: Exception) -> bool:
    """Tell whether an error is a full disk or quota, of Python's or of duckdb's, if that is used.

    duckdb's IOException has no errno, only the system's words for it.
    """
    if isinstance(error, OSError):
        return error.errno in DISK_FULL
    duckdb = sys.modules.get("duckdb")
    words = map(os.strerror, DISK_FULL)
    return bool(
        duckdb
        and isinstance(error, duckdb.IOException)
        and any(word in str(error) for word in words)
    )


def drop_output() -> None:
    """Let Python's last flush of stdout, which nobody can write any more, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


app = typer.Typer(
    cls=Commands,
    name="loyalty",
    help="An open loyalty pipeline on real servers: Kafka, HDFS, HBase, Hive, Flume and Spark."
    "\n\nExample: ./loyalty up",
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
    """Run one command; `endings` tells its exit codes."""
    app(prog_name="./loyalty")
