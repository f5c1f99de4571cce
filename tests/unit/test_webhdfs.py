"""HDFS away: every call ends in a sentence, also one that reads piece by piece."""

import socket

import pytest

from pipeline.errors import LoyaltyError, Unavailable
from pipeline.webhdfs import Hdfs, Missing, Taken


@pytest.mark.parametrize("call", ["read", "names", "delete"])
def test_nobody_answers(call: str) -> None:
    with socket.socket() as held:  # bound, but nobody listens there
        held.bind(("127.0.0.1", 0))
        hdfs = Hdfs(f"http://127.0.0.1:{held.getsockname()[1]}", "spark", timeout=2)
        with pytest.raises(Unavailable, match="HDFS does not answer at"):
            getattr(hdfs, call)("/data/nothing")


@pytest.mark.parametrize(
    ("error", "builtin"), [(Missing, FileNotFoundError), (Taken, FileExistsError)]
)
def test_what_nobody_caught_is_a_sentence(
    error: type[LoyaltyError], builtin: type[OSError]
) -> None:
    with pytest.raises(builtin):
        raise error("A sentence.")
    raised = error("A sentence.")
    assert isinstance(raised, LoyaltyError)
    assert (str(raised), raised.exit_code) == ("A sentence.", 1)
