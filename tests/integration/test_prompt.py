"""The prompt of `sql` at a pseudo-terminal, with the real Hive behind it."""

import stat
import time

from drill.stack import OwnStack
from pipeline.settings import ROOT
from tests.integration.terminal import Relay, Terminal

CTRL_C, CTRL_D = "\x03", "\x04"


def test_a_conversation_with_hive(stack: OwnStack) -> None:
    with Relay(stack.settings.hiveserver2_port) as relay:
        environment = stack.environment | {"LOYALTY_HIVESERVER2_PORT": str(relay.port)}
        command = str(ROOT / "loyalty")
        with Terminal(command, "sql", environment=environment, folder=ROOT) as terminal:
            terminal.expect("loyalty>")
            # a statement goes on until its `;`, which one in quotes is not
            terminal.type("select ';',\r")
            terminal.expect("->")
            terminal.type("6 * 7 as answer;\r")
            assert "42" in terminal.expect("1 row\r\n")
            # an error is shown, and the session is the same one
            terminal.type("set hivevar:known=100;\r")
            terminal.expect("ok\r\n")
            terminal.type("select * from nope;\r")
            terminal.expect("Table not found 'nope'")
            terminal.type("select ${hivevar:known} + 1;\r")
            assert "101" in terminal.expect("1 row\r\n")
            # Tab completes the table's name; Ctrl-C drops what is typed
            terminal.type("describe transactions_c\t")
            terminal.expect("ln")
            terminal.type(";\r")
            assert "odr_menu" in terminal.expect("rows\r\n")
            terminal.type(f"select * from nowhere{CTRL_C}")
            # Ctrl-C amid an answer does not wait for it
            begun = time.monotonic()
            terminal.type("select reflect('java.lang.Thread', 'sleep', bigint(20000));\r")
            terminal.expect("Hive is asked")
            terminal.type(CTRL_C)
            terminal.expect("stopped by Ctrl-C")
            assert time.monotonic() - begun < 15
            # HiveServer2 goes and comes back
            relay.cut()
            terminal.type("select 1;\r")
            terminal.expect("HiveServer2 does not answer")
            relay.join()
            terminal.type("select 300 + 33;\r")
            assert "333" in terminal.expect("1 row\r\n")
            terminal.expect("loyalty>")  # before it the terminal would take the key for itself
            terminal.type(CTRL_D)
            assert terminal.end() == 0
    history = stack.places.sql_history
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "+6 * 7 as answer;" in history.read_text(encoding="utf-8")


def test_without_hive_there_is_no_prompt(stack: OwnStack) -> None:
    with Relay(stack.settings.hiveserver2_port) as relay:
        pass
    environment = stack.environment | {"LOYALTY_HIVESERVER2_PORT": str(relay.port)}
    command = str(ROOT / "loyalty")
    with Terminal(command, "sql", environment=environment, folder=ROOT) as terminal:
        assert "loyalty>" not in terminal.expect("HiveServer2 does not answer")
        assert terminal.end() == 1
