"""The prompt of `sql`: statements typed at a terminal, one session of Hive for all of them."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import ThreadedCompleter, WordCompleter
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import Output, create_output
from prompt_toolkit.utils import is_dumb_terminal
from pygments.lexers.sql import SqlLexer  # type: ignore[import-untyped]

from hive.output import Form, run_all
from hive.session import Session
from hive.sql import is_complete, statements
from hive.tables import column_names
from pipeline.console import err, say_error
from pipeline.endings import leaving
from pipeline.errors import LoyaltyError, Unavailable

PROMPT: Final = "loyalty> "
NAMES_SECONDS: Final = 10
"""Who pressed Tab does not wait longer for the names of tables and columns."""
LEAVE: Final = re.compile(r"\s*(?:exit|quit)\s*;?\s*", re.IGNORECASE)
KEYWORDS: Final = [
    "ALTER", "AND", "AS", "ASC", "AVG", "BETWEEN", "BY", "CASE", "CAST", "COUNT", "CREATE",
    "DATE", "DATEDIFF", "DATE_SUB", "DECIMAL", "DESC", "DESCRIBE", "DISTINCT", "DROP", "ELSE",
    "END", "EXISTS", "EXPLAIN", "FALSE", "FROM", "GROUP", "HAVING", "IF", "IN", "INNER",
    "INSERT", "INTO", "IS", "JOIN", "LEFT", "LIKE", "LIMIT", "MAX", "MIN", "NOT", "NULL", "ON",
    "OR", "ORDER", "OUTER", "OVER", "PARTITION", "SELECT", "SHOW", "SUBSTR", "SUM", "TABLES",
    "THEN", "TRUE", "UNION", "WHEN", "WHERE", "WITH",
]  # fmt: skip


class OpenSession(Protocol):
    """Opens a session; no statement in it takes longer than `timeout` seconds."""

    def __call__(self, *, timeout: float = ...) -> Session:
        """Raise Unavailable where HiveServer2 does not answer."""


def converse(open_session: OpenSession, form: Form, history: Path) -> None:
    """Ask for statements and answer them until Ctrl-D, `exit` or `quit`.

    An error is shown and the prompt goes on. Raises Unavailable where HiveServer2 does not answer
    at the start; goes it away later, the next statement opens a new session.
    """
    line = _Line(open_session)
    with leaving("no statement was asked."), line.session():
        err.print("A statement ends with ; Tab completes, Ctrl-C drops the line, Ctrl-D leaves.")
    # `./loyalty sql | less`: the prompt is on the terminal, the results go into the pipe
    # (TERM=dumb: prompt_toolkit's own plain prompt, which it has where it makes the output)
    terminal = None if is_dumb_terminal() else create_output(always_prefer_tty=True)
    for text in texts(make_prompt(open_history(history), Names(open_session), terminal)):
        try:
            with line.session() as session:
                run_all(session, list(statements(text)), form)
        except LoyaltyError as error:
            say_error(str(error))
        except KeyboardInterrupt:
            err.print(
                "stopped by Ctrl-C: Hive ends the statement, what it had changed stays;"
                " the next statement opens a new session"
            )
    line.close()


class _Line:
    """The session of a prompt: opened when it is needed, given up when it breaks."""

    def __init__(self, open_session: Callable[[], Session]) -> None:
        self._open = open_session
        self._session: Session | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Give the one session. Without an answer, or after Ctrl-C amid one, it is no use."""
        if self._session is None:
            self._session = self._open()
        try:
            yield self._session
        except Unavailable:
            self._session.abandon()
            self._session = None
            raise
        except KeyboardInterrupt:
            self._session.cancel()
            self._session = None
            raise

    def close(self) -> None:
        """End the session; a server that is gone has ended it already."""
        if self._session is not None:
            with suppress(Unavailable):
                self._session.close()


def texts(prompt: PromptSession[str]) -> Iterator[str]:
    """Give what is typed, a text of one or more statements each time, until the user leaves."""
    while True:
        try:
            text = prompt.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if LEAVE.fullmatch(text):
            return
        if text.strip():
            yield text


def make_prompt(
    history: History, names: "Names", output: Output | None = None
) -> PromptSession[str]:
    """Make a prompt that sends complete statements; Tab asks for names."""
    return PromptSession(
        PROMPT,
        multiline=True,
        prompt_continuation=lambda width, _number, _wrapped: "-> ".rjust(width),
        lexer=PygmentsLexer(SqlLexer),
        # only Tab completes, so that Hive is not asked before anybody wants to know
        completer=ThreadedCompleter(names),
        complete_while_typing=False,
        history=history,
        key_bindings=_bindings(),
        output=output,
    )


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def _enter(event: KeyPressEvent) -> None:
        """Send what is complete; else begin another line."""
        buffer = event.current_buffer
        if not buffer.text.strip() or is_complete(buffer.text) or LEAVE.fullmatch(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return bindings


def open_history(path: Path) -> History:
    """Give the history of earlier prompts, which its owner alone may read.

    Where it cannot be written (no data folder yet, another user's) this prompt has one of its own.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
        path.chmod(0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(path)


class Names(WordCompleter):
    """Completes key words, tables and columns; Hive is asked once, at the first Tab."""

    def __init__(self, open_session: OpenSession) -> None:
        super().__init__(self._words, ignore_case=True)
        self._open = open_session

    def _words(self) -> list[str]:
        # while Hive does not answer: the key words alone, and the next Tab asks again
        try:
            return self._all
        except LoyaltyError:
            return KEYWORDS

    @cached_property
    def _all(self) -> list[str]:
        return [*self.ask(), *KEYWORDS]

    def ask(self) -> list[str]:
        """Ask Hive for the names of its tables and columns; raises Unavailable.

        In a session of its own: the completer has a thread, and a session belongs to one thread.
        """
        with self._open(timeout=NAMES_SECONDS) as session:
            tables = column_names(session)
        return sorted({name for columns in tables.values() for name in columns} | tables.keys())
