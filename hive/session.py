"""HiveServer2 through PyHive, and nothing else that knows PyHive: it is little maintained.

PyHive puts parameters into statements on the client, so none are given to it here: a statement is
complete text, and is never made of input.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from pyhive.exc import Error as HiveError
from pyhive.hive import connect as open_connection
from pyhive.hive import get_installed_sasl
from TCLIService.ttypes import TCancelOperationReq  # type: ignore[import-untyped]
from thrift.Thrift import TException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TTransportException
from thrift_sasl import TSaslClientTransport  # type: ignore[import-untyped]

from pipeline.errors import LoyaltyError, Refused, Unavailable
from pipeline.settings import Settings

# thrift logs what it then raises; without a handler it would reach the user's terminal
logging.getLogger("thrift").addHandler(logging.NullHandler())

USER: Final = "hive"
CONNECT_SECONDS: Final = 10
COMPILE_SECONDS: Final = 120
"""A statement is compiled before the first answer; under load that takes seconds."""
POLL_SECONDS: Final = 30
"""HiveServer2 holds back an answer about a running statement for at most 5 s."""
PAGE_ROWS: Final = 1000

_RUNNING: Final = {0, 1, 7}
_FINISHED: Final = 2
_ERROR: Final = 5
_AGAIN: Final = "run it again; `./loyalty logs hiveserver2` says more"
_ENDED: Final = {
    3: ("was cancelled", _AGAIN),
    4: ("was closed", _AGAIN),
    _ERROR: ("failed", "correct what it names; `./loyalty logs hiveserver2` says more"),
    8: ("took too long", "ask for less, or raise LOYALTY_GENERATION_MINUTES"),
}
"""TOperationState of TCLIService.thrift: INITIALIZED, RUNNING and PENDING; FINISHED; the others,
each with the next step.
"""

_IN_FETCH: Final = "Unable to get the next row set with exception: "
"""Before the cause, where a row could not be computed."""

Row = tuple[Any, ...]


class Column(NamedTuple):
    """Name without the table's prefix where that is unambiguous; type as Hive says: `DECIMAL`."""

    name: str
    type: str


class Result(NamedTuple):
    """Rows come page by page while they are taken.

    DECIMAL is Decimal, TIMESTAMP a datetime without zone (UTC in our tables), BINARY bytes, DATE
    and all that is nested ISO or JSON text, NULL None.
    """

    columns: tuple[Column, ...]
    rows: Iterator[Row]


class Session:
    """A connection with its own session; use it in a `with`, in one thread."""

    def __init__(self, connection: Any, socket: Any, address: str, timeout: float) -> None:
        self._connection = connection
        self._socket = socket
        self._address = address
        self._timeout = timeout
        self._waited_for: Any = None
        """The cursor whose statement is under way."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif issubclass(kind, Exception):
            self.abandon()
        else:
            self.cancel()

    def close(self) -> None:
        """End the session; raises Unavailable where nobody answers."""
        with _sentences(self._address):
            self._connection.close()

    def abandon(self) -> None:
        """Hang up, as a call may be half done; HiveServer2 ends the session by itself."""
        self._socket.close()

    def cancel(self) -> None:
        """Hang up, and let HiveServer2 end the statement that is waited for: by itself it would go
        on with what Tez computes. Nobody waits for that end: it may take a minute.
        """
        self._socket.close()
        if self._waited_for is None:
            return
        host, _, port = self._address.rpartition(":")
        with suppress(LoyaltyError):  # there is nobody to end anything
            other = connect(host, int(port), timeout=CONNECT_SECONDS)
            try:
                request = TCancelOperationReq(operationHandle=self._waited_for._operationHandle)
                other._connection.client.send_CancelOperation(request)
            finally:
                other.abandon()

    def run(self, statement: str) -> None:
        """Run a statement, whatever it gives."""
        with self.result(statement):
            pass

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and give all its rows, [] where it gives none."""
        with self.result(statement) as result:
            return [] if result is None else list(result.rows)

    @contextmanager
    def result(self, statement: str) -> Iterator[Result | None]:
        """Run a statement; give its columns and rows, None where it has no result.

        Raises Refused for a wrong statement, LoyaltyError for one that fails, Unavailable where
        there is no answer. The rows can be taken inside the `with` only.
        """
        with _sentences(self._address):
            cursor = self._connection.cursor(arraysize=PAGE_ROWS)
            deadline = time.monotonic() + self._timeout
            self._socket.setTimeout(1000 * min(COMPILE_SECONDS, self._timeout))
            cursor.execute(statement, async_=True)
            self._waited_for = cursor
            self._wait(cursor, deadline)
            self._waited_for = None
            description = cursor.description
        yield None if description is None else self._result(cursor, description)
        with _sentences(self._address):
            cursor.close()

    def _wait(self, cursor: Any, deadline: float) -> None:
        """Return when the statement is finished."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Unavailable(
                    f"HiveServer2 at {self._address} had no result after {self._timeout:.0f} s; "
                    "ask for less, or see `./loyalty status`."
                )
            self._socket.setTimeout(1000 * max(1, min(POLL_SECONDS, left)))
            answer = cursor.poll(get_progress_update=False)
            if answer.operationState == _FINISHED:
                return
            if answer.operationState not in _RUNNING:
                reason = useful_sentence(answer.errorMessage or "Hive gives no reason")
                raise LoyaltyError(end_of_statement(answer.operationState, reason))

    def _result(self, cursor: Any, description: list[Row]) -> Result:
        names = [name for name, *_ in description]
        short = [name.rpartition(".")[2] for name in names]
        unique = names if len(set(short)) < len(short) else short
        types = (kind.removesuffix("_TYPE") for _, kind, *_ in description)
        return Result(tuple(map(Column, unique, types)), self._pages(cursor))

    def _pages(self, cursor: Any) -> Iterator[Row]:
        self._socket.setTimeout(1000 * min(COMPILE_SECONDS, self._timeout))
        while True:
            with _sentences(self._address):
                page = _fetch(cursor)
            if not page:
                return
            yield from page


def open_session(settings: Settings, timeout: float | None = None) -> Session:
    """Open a session for any statement. It waits a minute longer than hive.query.timeout.seconds
    (hive-site.xml.j2), so that HiveServer2 ends a long statement itself; or so many seconds.
    """
    patience = settings.grace_seconds - 540 if timeout is None else timeout
    return connect(*settings.hive, timeout=patience)


def connect(host: str, port: int, timeout: float) -> Session:
    """Open a session as user `hive`; no statement in it may take longer than `timeout` seconds.

    Raises Unavailable where HiveServer2 does not answer within seconds.
    """
    address = f"{host}:{port}"
    socket = TSocket(host, port)
    socket.setTimeout(1000 * min(CONNECT_SECONDS, timeout))
    # without authentication any password will do, but not an empty one
    transport = TSaslClientTransport(
        lambda: get_installed_sasl(host, "PLAIN", username=USER, password="x"),  # noqa: S106
        "PLAIN",
        socket,
    )
    with _sentences(address):
        connection = open_connection(thrift_transport=transport, username=USER)
    return Session(connection, socket, address, timeout)


def _fetch(cursor: Any) -> list[Row]:
    """Give the next page of rows.

    Raises LoyaltyError where the statement fails: a simple one is computed while it is fetched.
    """
    try:
        page: list[Row] = cursor.fetchmany(PAGE_ROWS)
    except HiveError as error:
        if _IN_FETCH in str(error):
            raise LoyaltyError(end_of_statement(_ERROR, _message(error))) from error
        raise
    return page


def end_of_statement(state: int, reason: str) -> str:
    """Say how a statement has ended (TOperationState), why, and the next step."""
    how, step = _ENDED.get(state, ("ended", _AGAIN))
    return f"The statement {how}: {reason.rstrip('.')}; {step}."


@contextmanager
def _sentences(address: str) -> Iterator[None]:
    """Turn the errors of PyHive and Thrift into ours."""
    try:
        yield
    except (TTransportException, OSError, EOFError) as error:
        raise Unavailable(
            f"HiveServer2 does not answer at {address}; `./loyalty status` shows its state."
        ) from error
    except HiveError as error:
        message = _message(error)
        if "Invalid SessionHandle" in message:  # after hours without a statement
            raise Unavailable(
                f"HiveServer2 at {address} has ended the session; run the statement again."
            ) from error
        if re.search(r"ConnectException|SafeMode|[Ss]afe mode|Failed to open new session", message):
            raise Unavailable(
                f"HiveServer2 at {address} does not reach HDFS or the metastore; `./loyalty status`"
                " shows who is away."
            ) from error
        raise Refused(
            f"Hive refused the statement: {message.rstrip('.')}; correct it: `show tables` and "
            "`describe TABLE` tell the names."
        ) from error
    except (TException, ValueError) as error:
        raise LoyaltyError(
            f"The answer of HiveServer2 at {address} cannot be read ({error}); "
            "cast the value to STRING in the statement."
        ) from error


def _message(error: HiveError) -> str:
    """Take Hive's message out of PyHive's error, whose argument is the Thrift answer."""
    status = getattr(error.args[0], "status", None) if error.args else None
    return useful_sentence((status and status.errorMessage) or str(error))


def useful_sentence(message: str) -> str:
    """Cut Hive's message to the one sentence that says what is wrong.

    Of a failed task it is the innermost cause, without the name of the exception's package; of a
    wrong statement what follows "FAILED:".
    """
    causes = re.findall(r"Caused by: ([^\n]+)", message)
    text = causes[-1] if causes else message.strip().partition("\n")[0]
    text = re.sub(r"^Error (?:while \w+ statement|running query): ", "", text)
    text = re.sub(r"^.*?(?:FAILED: |Execution Error, return code \d+ from )", "", text)
    text = text.removeprefix(_IN_FETCH)
    text = re.sub(r"\b(?:[a-z][a-z0-9_]*\.){2,}(?=[A-Z]\w*(?:Exception|Error)\b)", "", text)
    return text.strip()
