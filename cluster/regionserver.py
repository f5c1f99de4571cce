"""What HBase says of itself: `GetServerInfo` of its region server, in HBase's own RPC protocol.

Through Thrift a broken HBase, a broken Thrift and a slow start all look alike: silence. Here a
region server that has aborted says so, and one that is starting says so too.

The protocol (hbase-protocol, RPC.proto): the preamble `HBas`, version and authentication; a
ConnectionHeader; then one request. Lengths of 4 bytes stand before each, varints before the
messages within. No Python package brings a client, and one call needs none.
"""

import socket
import struct
from typing import Final

from cluster.asking import HasEnded
from pipeline.errors import LoyaltyError
from pipeline.settings import Settings

TIMEOUT_SECONDS: Final = 4
_PREAMBLE: Final = b"HBas\x00\x50"
"""Version 0; 0x50: no authentication (org.apache.hadoop.hbase.security.AuthMethod.SIMPLE)."""
_SIZED: Final = 2
"""The wire type of texts and messages: their length stands before them."""
_ENDED: Final = ("RegionServerAborted", "RegionServerStopped")
"""Of the exceptions that say that the server is going to serve nobody ever again."""


class NotOpen(LoyaltyError):
    """The region server has answered that it does not serve: mostly that it is starting."""


def ask_regionserver(settings: Settings) -> None:
    """The region server is open: it says who it is.

    Raises HasEnded where it says that it has aborted or stopped, or its master has ended; NotOpen
    where it says anything else; ConnectionRefusedError before its port is open and after its end.
    """
    host = settings.host("hbase")
    thrown = thrown_in(_server_info(host, settings.hbase_regionserver_port))
    # the master opens its port first. One that has failed to start (say, while the DataNode is
    # away) closes it and leaves its region server waiting for a master for ever
    if not _listens(host, settings.hbase_master_port):
        raise HasEnded("HBase's master has ended, its process lives on")
    if thrown is not None and any(word in thrown for word in _ENDED):
        raise HasEnded(f"HBase's region server has ended ({thrown}), its process lives on")
    if thrown is not None:
        raise NotOpen(f"HBase's region server does not serve ({thrown})")


def _server_info(host: str, port: int) -> bytes:
    """Give the answer to GetServerInfo: a ResponseHeader and what follows, without its length."""
    header = _text(1, _text(1, b"loyalty")) + _text(2, b"AdminService")
    # call 1, method, and that arguments follow: an empty GetServerInfoRequest
    request = b"\x08\x01" + _text(3, b"GetServerInfo") + b"\x20\x01"
    call = _varint(len(request)) + request + _varint(0)
    with socket.create_connection((host, port), timeout=TIMEOUT_SECONDS) as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        connection.sendall(_PREAMBLE + _sized(header) + _sized(call))
        with connection.makefile("rb") as stream:
            (size,) = struct.unpack(">I", _exactly(stream.read(4), 4))
            return _exactly(stream.read(size), size)


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=TIMEOUT_SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


def thrown_in(answer: bytes) -> str | None:
    """Give the exception's class that an answer names; None for a good answer."""
    length, at = _read_varint(answer, 0)
    thrown = _fields(answer[at : at + length]).get(2)
    if thrown is None:
        return None
    name = _fields(thrown).get(1, b"an exception without a name")
    return name.decode("utf-8", errors="replace").rpartition(".")[2]


def _fields(message: bytes) -> dict[int, bytes]:
    """Give a message's fields that are texts or messages, by number; others are passed over."""
    found = {}
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        if tag & 7 == _SIZED:
            length, at = _read_varint(message, at)
            found[tag >> 3] = message[at : at + length]
            at += length
        elif tag & 7 == 0:
            _, at = _read_varint(message, at)
        else:
            raise LoyaltyError(f"HBase's region server sent a field of unknown type {tag & 7}")
    return found


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
    raise LoyaltyError("HBase's region server sent half a message")


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _text(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _sized(message: bytes) -> bytes:
    return struct.pack(">I", len(message)) + message


def _exactly(read: bytes, size: int) -> bytes:
    if len(read) < size:
        raise LoyaltyError("HBase's region server ended the connection within its answer")
    return read
