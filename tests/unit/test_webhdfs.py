"""HDFS away: every call ends in a sentence, also one that reads piece by piece."""

import socket
from threading import Thread

import pytest

from pipeline.errors import LoyaltyError, Unavailable
from pipeline.webhdfs import Hdfs, Missing, Taken


@pytest.mark.parametrize("call", ["read", "names", "delete"])
def test_nobody_answers(call: str) -> None:
    with socket.socket() as held:  # bound, but nobody listens there
        held.bind(("127.0.0.1", 0))
        hdfs = Hdfs(f"http://127.0.0.1:{held.getsockname()[1]}", "spark", timeout=2)
        with pytest.raises(Unavailable, match=r"does not answer at \S+ \(Connection refused\);"):
            getattr(hdfs, call)("/data/nothing")


def test_nobody_answers_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel accepts for it
        hdfs = Hdfs(f"http://127.0.0.1:{silent.getsockname()[1]}", "spark", timeout=0.2)
        with pytest.raises(Unavailable, match=r"^HDFS does not answer at \S+ in time; `"):
            hdfs.names("/data")


def test_a_connection_that_is_closed_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            connection.close()

        closing = Thread(target=hang_up)
        closing.start()
        hdfs = Hdfs(f"http://127.0.0.1:{server.getsockname()[1]}", "spark", timeout=5)
        with pytest.raises(Unavailable, match=r"does not answer at \S+ \(.*[Cc]onnection.*\);"):
            hdfs.names("/data")
        closing.join()


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
