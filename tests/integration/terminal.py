"""A command at a pseudo-terminal, typed into and read like a screen; and a line that can be cut."""

import os
import pty
import re
import select
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()=>][A-Z0-9]?|\x1b\][^\x07]*\x07")


class Terminal:
    """A program whose standard streams are a terminal of its own; use it in a `with`."""

    def __init__(self, *command: str, environment: Mapping[str, str], folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        # opened by the leader of a new session, the terminal is its own: Ctrl-C reaches it
        self._process = subprocess.Popen(
            ["sh", "-c", 'tty=$0; exec "$@" <"$tty"', os.ttyname(theirs), *command],
            env={**environment, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._new = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def type(self, keys: str) -> None:
        """Press keys; Enter is \\r."""
        os.write(self._ours, keys.encode())

    def expect(self, words: str, seconds: float = 120) -> str:
        """Wait for words to be shown, and give all that was shown since the last ones."""
        end = time.monotonic() + seconds
        while (at := self._new.find(words)) < 0:
            assert self._read(end), f"not shown: {words!r}, but: {self._new[-2000:]!r}"
        seen, self._new = self._new[: at + len(words)], self._new[at + len(words) :]
        return seen

    def end(self, seconds: float = 120) -> int:
        """Wait for the program's end; give its exit code."""
        end = time.monotonic() + seconds
        while self._process.poll() is None:
            assert time.monotonic() < end, f"it does not end: {self._new[-2000:]!r}"
            self._read(min(end, time.monotonic() + 0.2))
        return self._process.returncode

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._ours], [], [], max(0, end - time.monotonic()))
        with suppress(OSError):  # Linux's way to say that nobody holds the other side any more
            if ready and (some := os.read(self._ours, 65_536)):
                self._new = _ESCAPES.sub("", self._new + some.decode(errors="replace"))
                return True
        return False


class Relay:
    """A port that passes everything on to a server's, until it is cut; use it in a `with`."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._sockets: list[socket.socket] = []
        self.port = 0

    def __enter__(self) -> Self:
        self.join()
        return self

    def __exit__(
        self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.cut()

    def join(self) -> None:
        """Listen, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._sockets = [listener]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Listen no more, and end every connection."""
        for one in self._sockets:
            with suppress(OSError):  # one that has ended already
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # it was cut
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                self._sockets += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=_pass, args=pair, daemon=True).start()


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # either side has ended
        while some := source.recv(65_536):
            target.sendall(some)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
