"""Where the servers are: their ports, the addresses of given ones, and what follows from both."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.addresses import EMBEDDED, EVERYWHERE, LOOPBACK, Address, parse_all

Port = Annotated[int, Field(ge=1024, le=65_535)]


class Servers(BaseSettings):
    """Ports are the servers' own standard ones; our own servers are on loopback."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    kafka_port: Port = 9092
    """Where our Kafka broker listens."""
    kafka_controller_port: Port = 9093
    """Where our Kafka's controller listens, for the broker in the same process."""
    namenode_port: Port = 8020
    """Where our HDFS NameNode listens (RPC)."""
    namenode_http_port: Port = 9870
    """Where our HDFS NameNode listens for WebHDFS."""
    datanode_port: Port = 9866
    """Where our HDFS DataNode takes and gives blocks."""
    datanode_ipc_port: Port = 9867
    """Where our HDFS DataNode is asked about its blocks."""
    datanode_http_port: Port = 9864
    """Where our HDFS DataNode listens for WebHDFS."""
    hbase_master_port: Port = 16000
    """Where our HBase's master listens."""
    hbase_regionserver_port: Port = 16020
    """Where our HBase's region server listens."""
    zookeeper_port: Port = 2181
    """Where the ZooKeeper in our HBase's process listens."""
    thrift_port: Port = 9090
    """Where our HBase's Thrift server listens, the till's door."""
    metastore_port: Port = 9083
    """Where our Hive metastore listens."""
    hiveserver2_port: Port = 10000
    """Where our HiveServer2 listens, the analyst's door."""

    containers: bool = False
    """Whether each component is in a container of its own, named after it, and listens on all of
    that container's addresses: docker-compose.yml sets it, and `up` refuses it."""

    given_kafka: str = Field(EMBEDDED, validation_alias="LOYALTY_KAFKA")
    """The Kafka to use instead of our own: host:port, or several with commas between them."""
    given_hdfs: str = Field(EMBEDDED, validation_alias="LOYALTY_HDFS")
    """The HDFS to use instead of our own: host:port of its NameNode (RPC)."""
    given_webhdfs: str = Field(EMBEDDED, validation_alias="LOYALTY_WEBHDFS")
    """The WebHDFS of that NameNode: host:port; with LOYALTY_HDFS, or not at all."""
    given_hbase: str = Field(EMBEDDED, validation_alias="LOYALTY_HBASE")
    """The HBase to use instead of our own: host:port of its Thrift server."""
    given_zookeeper: str = Field(EMBEDDED, validation_alias="LOYALTY_ZOOKEEPER")
    """The ZooKeeper of that HBase: host:port, or several; with LOYALTY_HBASE, or not at all."""
    given_hive: str = Field(EMBEDDED, validation_alias="LOYALTY_HIVE")
    """The Hive to use instead of our own: host:port of its HiveServer2."""

    @field_validator("given_kafka", "given_hdfs", "given_webhdfs", "given_hbase",
                     "given_zookeeper", "given_hive")  # fmt: skip
    @classmethod
    def _is_an_address(cls, text: str, info: ValidationInfo) -> str:
        if text == EMBEDDED:
            return text
        found = parse_all(text)
        if len(found) > 1 and info.field_name not in {"given_kafka", "given_zookeeper"}:
            raise ValueError("has to be one host:port")
        # Flume's HBase sink takes them apart and insists on it
        if info.field_name == "given_zookeeper" and len({one.port for one in found}) > 1:
            raise ValueError("has to have the same port for every host")
        return text

    def host(self, component: str) -> str:
        """Give where a component of our own is."""
        return component if self.containers else LOOPBACK

    @property
    def listen(self) -> str:
        """The address on which our own servers listen."""
        return EVERYWHERE if self.containers else LOOPBACK

    @property
    def kafka_inner_port(self) -> int:
        """Where our broker listens for other containers; `kafka_port` is for the host's clients."""
        return 19_092

    @property
    def given(self) -> list[str]:
        """What is given and therefore never started: of kafka, hdfs, hbase and hive."""
        names = ("kafka", "hdfs", "hbase", "hive")
        return [name for name in names if getattr(self, f"given_{name}") != EMBEDDED]

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        port = self.kafka_inner_port if self.containers else self.kafka_port
        return self._or_own(self.given_kafka, "kafka", port)

    @property
    def hdfs(self) -> str:
        """The file system's URI, as Spark, Hive and Flume want it."""
        return f"hdfs://{self._or_own(self.given_hdfs, 'namenode', self.namenode_port)}"

    @property
    def webhdfs(self) -> str:
        """Where the `hdfs` package finds the NameNode."""
        return f"http://{self._or_own(self.given_webhdfs, 'namenode', self.namenode_http_port)}"

    @property
    def thrift(self) -> Address:
        """HBase's Thrift server."""
        return Address.parse(self._or_own(self.given_hbase, "thrift", self.thrift_port))

    @property
    def zookeeper(self) -> str:
        """The quorum of HBase's ZooKeeper, as Flume's sink wants it."""
        return self._or_own(self.given_zookeeper, "hbase", self.zookeeper_port)

    @property
    def metastore(self) -> Address:
        """Our own Hive's metastore."""
        return Address(self.host("metastore"), self.metastore_port)

    @property
    def hive(self) -> Address:
        """HiveServer2."""
        return Address.parse(self._or_own(self.given_hive, "hiveserver2", self.hiveserver2_port))

    def _or_own(self, given: str, component: str, port: int) -> str:
        return f"{self.host(component)}:{port}" if given == EMBEDDED else given
