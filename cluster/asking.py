"""Questions asked side by side with one bound: who hangs holds nobody up."""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from cluster.startup import NOT_READY
from pipeline.errors import LoyaltyError

Name = TypeVar("Name", bound=Hashable)
Answer = TypeVar("Answer")


class Late(LoyaltyError):
    """There was no answer in time."""


class HasEnded(LoyaltyError):
    """A process says, or shows for certain, that it lives and never will do its work again."""


def ask_together(
    questions: Mapping[Name, Callable[[], Answer]], seconds: float
) -> dict[Name, Answer | Exception]:
    """Give each question's answer, or what kept it from one: NOT_READY's errors, or Late.

    Raises what is a bug of ours. The threads are daemons: one that hangs does not hold up the
    command's end.
    """
    answers: dict[Name, Answer | Exception] = {}

    def ask(name: Name, question: Callable[[], Answer]) -> None:
        try:
            answers[name] = question()
        except Exception as error:  # noqa: BLE001  # the caller looks at it
            answers[name] = error

    threads = [
        threading.Thread(target=ask, args=(name, question), daemon=True)
        for name, question in questions.items()
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0, end - time.monotonic()))
    found = {
        name: answers.get(name, Late(f"no answer within {seconds:.1f} s")) for name in questions
    }
    for answer in found.values():
        if isinstance(answer, Exception) and not isinstance(answer, NOT_READY):
            raise answer
    return found


def sentence_of(error: Exception) -> str:
    """Give the first line of what an error says, or its name where it says nothing."""
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__


def reason_of(error: Exception) -> str:
    """Give why a component does not answer, without the advice to look at `status`, which tells it:
    of the system's errors the words without their number.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return sentence_of(error).partition("; `./loyalty status`")[0]
