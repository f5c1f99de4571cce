"""How a command ends that is no bug: in one sentence on stderr, and an exit code."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import typer

from pipeline.console import err, say_error
from pipeline.errors import LoyaltyError

DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
PATHS: Final = (errno.ENOENT, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.EACCES, errno.EPERM,
                errno.EROFS, errno.ELOOP, errno.ENAMETOOLONG)  # fmt: skip
"""What is wrong with a path, and another one is the way out."""


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
        _say_stopped(error)
        raise typer.Exit(130) from error
    except Exception as error:
        if is_interruption(error):
            _say_stopped(error)
            raise typer.Exit(130) from error
        if (sentence := _sentence(error)) is None:
            raise
        say_error(sentence)
        try:
            sys.stdout.flush()
        except OSError:
            drop_output()
        raise typer.Exit(1) from error


@contextmanager
def leaving(state: str | Callable[[], str] = "nothing was changed.") -> Iterator[None]:
    """Say, where Ctrl-C ends the body, how things stand then and what can be done next.

    state: the words after "stopped by Ctrl-C: ", or what gives them at the end; by default those of
    a command that only reads, which can be decorated with it. Of several, one in the other, the
    innermost says it.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        if error.args:
            raise
        raise KeyboardInterrupt(state if isinstance(state, str) else state()) from error
    except RuntimeError as error:
        if not is_interruption(error):
            raise
        raise KeyboardInterrupt(state if isinstance(state, str) else state()) from error


def is_interruption(error: BaseException) -> bool:
    """Tell whether an error is a Ctrl-C: duckdb makes one of its own of it, for which it has no
    class.
    """
    return isinstance(error, KeyboardInterrupt) or (
        type(error) is RuntimeError and str(error) == "Query interrupted"
    )


def is_disk_full(error: Exception) -> bool:
    """Tell whether an error is a full disk or quota, of Python's or of duckdb's, if that is used.

    duckdb's IOException has no errno, only the system's words for it.
    """
    if isinstance(error, OSError):
        return error.errno in DISK_FULL
    words = map(os.strerror, DISK_FULL)
    return _is_duckdbs(error, "IOException") and any(word in str(error) for word in words)


def _is_duckdbs(error: Exception, name: str) -> bool:
    """Tell whether an error is one of duckdb's, by its class, if that is used."""
    duckdb = sys.modules.get("duckdb")
    return duckdb is not None and isinstance(error, getattr(duckdb, name))


def drop_output() -> None:
    """Let Python's last flush of stdout, which nobody can write any more, go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sentence(error: Exception) -> str | None:
    """Give the sentence for an error of the system that the user can mend; None for a bug."""
    if is_disk_full(error):
        return f"The disk is full ({error}); make room on it, then run the command again."
    if isinstance(error, OSError) and error.errno in PATHS and error.filename is not None:
        return f"{error.filename}: {error.strerror}; give another path, or make this one free."
    if _is_duckdbs(error, "OutOfMemoryException"):
        return (
            "There are more lines than the memory for their comparison is allowed to hold; give"
            " --from and --to, some dates at a time."
        )
    if isinstance(error, RuntimeError) and "lost sys.stdin" in str(error):
        return "There is a question, and nobody can answer it: stdin is closed; give --yes."
    return None


def _say_stopped(error: BaseException) -> None:
    """Say that Ctrl-C was heard, and how things stand, where the command has said it."""
    words = f": {error}" if isinstance(error, KeyboardInterrupt) and error.args else ""
    err.print(f"stopped by Ctrl-C{words}", markup=False, soft_wrap=True)
