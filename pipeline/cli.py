"""The command line: every command in the order of its use."""

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from pipeline.commands import (
    backup,
    completion,
    config,
    connect,
    customers,
    doctor,
    drill,
    orders,
    processes,
    produce,
    quarantine,
    rate,
    rebuild,
    refresh,
    refreshes,
    replay,
    retention,
    sql,
    unit,
)
from pipeline.commands import status as look
from pipeline.commands import test as tests
from pipeline.commands import up as start
from pipeline.commands import verify as verification
from pipeline.console import say_error
from pipeline.endings import endings
from pipeline.signals import hear_again
from pipeline.usage import usage_sentence


class Commands(TyperGroup):
    """All commands. Typer has ends of its own for all that goes wrong, so ours come first."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line and exit; wrong usage is a sentence with exit code 2."""
        try:
            with endings():  # of what is not `invoke`: the help on a full disk
                code = super().main(
                    args, prog_name, complete_var, standalone_mode=False,
                    windows_expand_args=windows_expand_args, **extra,
                )  # fmt: skip
        except typer.Exit as error:
            code = error.exit_code
        except TyperException as error:
            if sentence := usage_sentence(error, self._path(args)):
                say_error(sentence)
            code = error.exit_code
        except typer.Abort as error:
            say_error("The question was not answered with y, so nothing was done.")
            code = 130 if isinstance(error.__context__, KeyboardInterrupt) else 1
        sys.exit(code if isinstance(code, int) else 0)

    def _path(self, args: Any) -> str:
        """Give the command that was called, as far as there is one."""
        words = (sys.argv[1:] if args is None else args)[:1]
        return " ".join(("./loyalty", *(word for word in words if word in self.commands)))

    def invoke(self, ctx: Any) -> Any:
        """Run one command; `endings` tells how it may end."""
        with endings():
            return super().invoke(ctx)


app = typer.Typer(
    cls=Commands,
    name="loyalty",
    help="An open loyalty pipeline on real servers: Kafka, HDFS, HBase, Hive, Flume and Spark."
    "\n\nExample: ./loyalty up",
    no_args_is_help=True,
    add_completion=False,  # it knows no path like ./loyalty, and takes a second
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

RUN, FEED, ASK = "Run it", "Feed it", "Ask it"
app.command("up", rich_help_panel=RUN)(start.up)
app.command("down", rich_help_panel=RUN)(processes.down)
app.command("status", rich_help_panel=RUN)(look.status)
app.command("doctor", rich_help_panel=RUN)(doctor.doctor)
app.command("logs", rich_help_panel=RUN)(processes.logs)
app.command("retention", rich_help_panel=RUN)(retention.retention)
app.command("backup", rich_help_panel=RUN)(backup.backup)
app.command("restore", rich_help_panel=RUN)(backup.restore)
app.command("unit", rich_help_panel=RUN)(unit.unit)
app.command("config", rich_help_panel=RUN)(config.config)
app.command("drill", rich_help_panel=RUN)(drill.drill)
app.command("test", rich_help_panel=RUN)(tests.test)
app.command("completion", rich_help_panel=RUN)(completion.completion)
# so that `rate -1` is a wrong rate and not an unknown option
app.command("rate", rich_help_panel=FEED, context_settings={"ignore_unknown_options": True})(
    rate.rate
)
app.command("produce", rich_help_panel=FEED)(produce.produce)
app.command("replay", rich_help_panel=FEED)(replay.replay)
app.add_typer(customers.app, name="customers", rich_help_panel=FEED)
app.command("refresh", rich_help_panel=ASK)(refresh.refresh)
app.command("refreshes", rich_help_panel=ASK)(refreshes.refreshes)
app.command("sql", rich_help_panel=ASK)(sql.sql)
app.command("connect", rich_help_panel=ASK)(connect.connect)
# so is `orders -1` no customer number
app.command("orders", rich_help_panel=ASK, context_settings={"ignore_unknown_options": True})(
    orders.orders
)
app.command("verify", rich_help_panel=ASK)(verification.verify)
app.command("rebuild", rich_help_panel=ASK)(rebuild.rebuild)
app.add_typer(quarantine.app, name="quarantine", rich_help_panel=ASK)


def main() -> None:
    """Run one command; `pipeline.endings` tells its exit codes."""
    hear_again()
    app(prog_name="./loyalty")
