"""What a region server says, as bytes that a real one sent (HBase 2.6.4)."""

import pytest

from cluster.regionserver import thrown_in
from pipeline.errors import LoyaltyError

OPEN = (
    b"\x02\x08\x01\x1a\n\x18\n\x16\n\tlocalhost\x10\xe4\xd3\x01\x18\xde\x91\xbc\xf6\xa04"
)  # fmt: skip


def exception(name: bytes) -> bytes:
    """Give an answer with an exception: its class, and a stack trace of 200 bytes."""
    thrown = b"\x0a" + bytes([len(name)]) + name + b"\x12\xc8\x01" + b"x" * 200
    header = b"\x08\x01\x12" + bytes([len(thrown) & 0x7F | 0x80, len(thrown) >> 7]) + thrown
    return bytes([len(header) & 0x7F | 0x80, len(header) >> 7]) + header


def test_a_server_that_is_open() -> None:
    assert thrown_in(OPEN) is None


def test_one_that_is_starting_or_has_aborted_names_it() -> None:
    name = b"org.apache.hadoop.hbase.regionserver.RegionServerAbortedException"
    assert thrown_in(exception(name)) == "RegionServerAbortedException"


@pytest.mark.parametrize("answer", [b"", b"\x82", b"\x02\x0b\x01"])
def test_what_is_no_answer_is_an_error_of_ours(answer: bytes) -> None:
    with pytest.raises(LoyaltyError):
        thrown_in(answer)
