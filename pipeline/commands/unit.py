"""`unit`: a systemd unit, so that the stack survives a reboot."""

import os
from typing import Annotated

import typer

from pipeline.commands.processes import refuse_containers
from pipeline.console import err
from pipeline.endings import leaving
from pipeline.settings import read_settings


@leaving()
def unit(
    of_user: Annotated[
        bool, typer.Option("--user", help="For `systemctl --user`: needs no root.")
    ] = False,
) -> None:
    """Print a systemd unit that starts this stack with the machine, and stops it before its end.

    It means the stack that this shell means: the LOYALTY_* variables that are set now are in it.

    Example: ./loyalty unit --user > loyalty.service
    """
    from cluster.unit import write_unit

    # the settings are read first: nothing is printed that could not start
    settings = read_settings()
    refuse_containers(settings, "unit", "the containers start with Docker itself")
    print(write_unit(os.environ, settings, of_user=of_user), end="")
    words = "systemctl --user enable --now loyalty" if of_user else "systemctl enable --now loyalty"
    file = "~/.config/systemd/user/" if of_user else "/etc/systemd/system/"
    lingers = "; `loginctl enable-linger` starts it without a login" if of_user else ""
    err.print(f"As {file}loyalty.service, then: {words}{lingers}", style="dim", soft_wrap=True)
