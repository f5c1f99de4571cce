"""What other tools need to reach the servers: an address, and lines to paste that work as they are.

The user is `analyst`, who may read what the stages have written and write nothing on HDFS. Hive
does not ask who it is, and takes any password.
"""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.addresses import LOOPBACK
from pipeline.places import CUSTOMERS, LOYALTY, ORDERS_TABLE, QUARANTINE, RAW, TRANSACTIONS
from pipeline.settings import Settings

USER: Final = "analyst"
"""Its group is in cluster/common/conf/core-site.xml.j2; no user of the machine is meant."""
SALES: Final = "SELECT odr_dt, SUM(odr_prc) FROM transactions_cln GROUP BY odr_dt"
PYHIVE: Final = "pip install 'pyhive[hive_pure_sasl]'"


@dataclass(frozen=True, slots=True)
class Client:
    """A tool, the address that it is given, what it needs, and lines to paste.

    language: of the snippet, `text`, `shell` or `python`.
    """

    tool: str
    title: str
    address: str
    needs: str
    language: str
    snippet: str


def clients(settings: Settings) -> dict[str, Client]:
    """Describe every tool by its name, in the order of their use."""
    return {client.tool: client for client in (make(settings) for make in _MAKERS)}


def _jdbc_url(settings: Settings) -> str:
    return f"jdbc:hive2://{settings.hive}/default"


def _jdbc(settings: Settings) -> Client:
    url = _jdbc_url(settings)
    needs = f"driver org.apache.hive.jdbc.HiveDriver (hive-jdbc); user {USER}, no password"
    title = "Hive for DBeaver, Tableau and what else knows JDBC"
    return Client("jdbc", title, url, needs, "text", url)


def _beeline(settings: Settings) -> Client:
    url, program = _jdbc_url(settings), Path(sys.executable).parent / "beeline"
    words = [str(program), "-u", url, "-n", USER]
    snippet = shlex.join(["env", f"PYSPARK_PYTHON={sys.executable}", *words])
    return Client("beeline", "Hive's own shell", url, "JDK 17", "shell", snippet)


def _pyhive(settings: Settings) -> Client:
    host, port = settings.hive
    snippet = f"""\
from pyhive.hive import connect

with connect(host="{host}", port={port}, username="{USER}") as connection:
    cursor = connection.cursor()
    cursor.execute("{SALES}")
    for row in cursor.fetchall():
        print(*row)"""
    return Client("pyhive", "Hive from Python", str(settings.hive), PYHIVE, "python", snippet)


def _sqlalchemy(settings: Settings) -> Client:
    url = f"hive://{USER}@{settings.hive}/default"
    snippet = f"""\
from sqlalchemy import create_engine, text

engine = create_engine("{url}")
with engine.connect() as connection:
    query = text("{SALES}")
    for row in connection.execute(query):
        print(*row)"""
    needs = f"{PYHIVE} 'sqlalchemy<2.1'"
    title = "Hive for pandas, Superset and what else knows SQLAlchemy"
    return Client("sqlalchemy", title, url, needs, "python", snippet)


def _kafka(settings: Settings) -> Client:
    snippet = f"""\
from confluent_kafka import Consumer

consumer = Consumer({{
    "bootstrap.servers": "{settings.kafka}",
    "group.id": "{USER}",
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
}})
consumer.subscribe(["{settings.topic}"])
for message in consumer.consume(5, timeout=10):
    print(message.value().decode("utf-8", "replace"))
consumer.close()"""
    title = f"order lines as they come, topic {settings.topic}"
    needs = "pip install confluent-kafka"
    return Client("kafka", title, settings.kafka, needs, "python", snippet)


def _hbase(settings: Settings) -> Client:
    host, port = settings.thrift
    snippet = f"""\
import happybase

connection = happybase.Connection("{host}", {port})
for key, columns in connection.table("{ORDERS_TABLE}").scan(limit=5):
    print(key.decode(), columns[b"d:item"].decode(), columns[b"d:amount"].decode())
connection.close()"""
    title = f"table {ORDERS_TABLE} by Thrift; a key is a line's first five fields"
    needs = "pip install happybase"
    return Client("hbase", title, str(settings.thrift), needs, "python", snippet)


def _webhdfs(settings: Settings) -> Client:
    snippet = f"curl -sS '{settings.webhdfs}/webhdfs/v1{RAW}?op=LISTSTATUS&user.name={USER}'"
    return Client("webhdfs", "the file system by HTTP", settings.webhdfs, "curl", "shell", snippet)


def _hdfs(settings: Settings) -> Client:
    snippet = f"""\
from hdfs import InsecureClient

client = InsecureClient("{settings.webhdfs}", user="{USER}")
for folder in client.list("{RAW}"):
    print(folder, len(client.list(f"{RAW}/{{folder}}")), "files")"""
    title = "the file system from Python; raw lines have a folder a date"
    return Client("hdfs", title, settings.webhdfs, "pip install hdfs", "python", snippet)


def _spark(settings: Settings) -> Client:
    snippet = f"""\
import os

os.environ |= {{"HADOOP_USER_NAME": "{USER}", "SPARK_LOCAL_IP": "{LOOPBACK}"}}
from pyspark.sql import SparkSession, functions as F

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.hadoop.fs.defaultFS", "{settings.hdfs}")
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.ui.enabled", "false")
    .getOrCreate()
)


def newest(frame, *partition):
    \"\"\"Keep the highest generation g=N of each partition, as Hive does.\"\"\"
    last = frame.groupBy(*partition).agg(F.max("g").alias("g"))
    return frame.join(F.broadcast(last), [*partition, "g"])


# also: newest(spark.read.parquet("{CUSTOMERS}"))
#       newest(spark.read.parquet("{QUARANTINE}"), "arrival_dt")
#       newest(spark.read.orc("{LOYALTY}"), "data_dt")
lines = newest(spark.read.parquet("{TRANSACTIONS}"), "odr_dt", "odr_hr")
for row in lines.groupBy("odr_dt").agg(F.sum("odr_prc")).collect():
    print(*row)
spark.stop()"""
    title = "tables as files; the address is fs.defaultFS"
    return Client("spark", title, settings.hdfs, "pip install pyspark, JDK 17", "python", snippet)


_MAKERS: Final[tuple[Callable[[Settings], Client], ...]] = (
    _jdbc, _beeline, _pyhive, _sqlalchemy, _kafka, _hbase, _webhdfs, _hdfs, _spark,
)  # fmt: skip
