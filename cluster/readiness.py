"""Each component's real question. A function returns on a real answer and raises otherwise."""

from collections.abc import Callable
from typing import Final

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.Thrift import TMessageType, TType
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport

from cluster.storage import PROBES, write_and_read
from hbase.table import probe
from hive.runs import QUIET_SECONDS, silence
from hive.session import connect
from pipeline.errors import LoyaltyError
from pipeline.places import Places
from pipeline.settings import Settings
from pipeline.topic import Topic
from pipeline.webhdfs import Hdfs

TEZ_QUESTION: Final = "select count(*) from (select 1 x union all select 2) t"
"""Needs Tez, HDFS and the metastore, and takes half a CPU second: for the start only."""


def ask_kafka(settings: Settings) -> None:
    """Every partition of our topic has a leader; before there is a topic, the cluster answers."""
    leaders = Topic(settings.kafka, settings.topic, timeout=3).leaders()
    if -1 in leaders.values():
        raise LoyaltyError(f"a partition of {settings.topic} has no leader")


def ask_hdfs(settings: Settings) -> None:
    """A small file is written and read back."""
    write_and_read(Hdfs(settings.webhdfs, user=settings.superuser, timeout=5))


def ask_hbase(settings: Settings) -> None:
    """A row is written and read back through the Thrift server."""
    probe(*settings.thrift)


def ask_thrift(settings: Settings) -> None:
    """`getThriftServerType`: the Thrift server answers it without HBase."""
    kind = _call(*settings.thrift, "getThriftServerType")
    if kind != TType.I32:
        raise LoyaltyError("HBase's Thrift server refused getThriftServerType")


def ask_metastore(settings: Settings) -> None:
    """`get_all_databases` gives a list."""
    if _call(*settings.metastore, "get_all_databases") != TType.LIST:
        raise LoyaltyError("the metastore refused get_all_databases")


def _call(host: str, port: int, method: str) -> int | None:
    """Call a method of a Thrift server with an empty struct of arguments.

    Gives the type of the answer's field 0, None for an error. (No Python package brings a client
    of the metastore, happybase's does not know getThriftServerType, and one call needs none.)
    """
    transport_socket = TSocket(host, port)
    transport_socket.setTimeout(4000)
    transport = TBufferedTransport(transport_socket)
    protocol = TBinaryProtocol(transport)
    transport.open()
    try:
        protocol.writeMessageBegin(method, TMessageType.CALL, 1)
        protocol.writeStructBegin("arguments")
        protocol.writeFieldStop()
        protocol.writeStructEnd()
        protocol.writeMessageEnd()
        transport.flush()
        _name, kind, _sequence = protocol.readMessageBegin()
        protocol.readStructBegin()
        _field, field_type, number = protocol.readFieldBegin()
        return int(field_type) if kind == TMessageType.REPLY and number == 0 else None
    finally:
        transport.close()


def ask_hive(settings: Settings) -> None:
    """A new session, which makes its folder on HDFS, answers a query (0.05 CPU seconds)."""
    with connect(*settings.hive, timeout=5) as session:
        if session.rows("select 1") != [(1,)]:
            raise LoyaltyError("HiveServer2 answered wrong")


def ask_tez(settings: Settings) -> None:
    """A query that Tez has to run gives its answer."""
    with connect(*settings.hive, timeout=60) as session:
        if session.rows(TEZ_QUESTION) != [(2,)]:
            raise LoyaltyError("HiveServer2 counted wrong")


def ask_namenode(settings: Settings) -> None:
    """The name space is readable and out of safe mode; needs no DataNode."""
    Hdfs(settings.webhdfs, user=settings.superuser, timeout=5).make_folder(PROBES)


def ask_schedule(settings: Settings) -> None:
    """The schedule of the refreshes has said something within the last half minute."""
    if (seconds := silence(Places(settings.data))) > QUIET_SECONDS:
        raise LoyaltyError(f"the schedule has said nothing for {seconds:.0f} s")


QUESTIONS: Final[dict[str, Callable[[Settings], None]]] = {
    "kafka": ask_kafka,
    "namenode": ask_namenode,
    "datanode": ask_hdfs,
    "hbase": ask_hbase,
    "thrift": ask_hbase,
    "metastore": ask_metastore,
    "hiveserver2": ask_hive,
    "refresh": ask_schedule,
}


def real_questions(settings: Settings) -> dict[str, Callable[[Settings], None]]:
    """Give each component's question; the metastore of a given Hive is its own affair."""
    return QUESTIONS | ({"metastore": ask_hive} if "hive" in settings.given else {})
