"""What `connect` prints: complete lines with the addresses of the settings."""

import shlex
from pathlib import Path

from pipeline.clients import Client, clients
from pipeline.settings import Settings

SETTINGS = Settings.model_validate(
    {"kafka_port": 21001, "namenode_port": 21002, "namenode_http_port": 21003,
     "thrift_port": 21004, "hiveserver2_port": 21005, "topic": "other.orders"}
)  # fmt: skip
CLIENTS = clients(SETTINGS)


def lines_of(client: Client) -> str:
    """Check a snippet as its language can: nothing in it is left to fill in."""
    if client.language == "python":
        compile(client.snippet, client.tool, "exec")
    else:
        assert shlex.split(client.snippet)
    return client.snippet


def test_each_server_has_its_tools_with_the_addresses_of_the_settings() -> None:
    ports = {"jdbc": 21005, "beeline": 21005, "pyhive": 21005, "sqlalchemy": 21005, "kafka": 21001,
             "hbase": 21004, "webhdfs": 21003, "hdfs": 21003, "spark": 21002}  # fmt: skip
    assert list(CLIENTS) == list(ports)
    for tool, port in ports.items():
        assert str(port) in CLIENTS[tool].address
        assert str(port) in lines_of(CLIENTS[tool])
    assert '"other.orders"' in CLIENTS["kafka"].snippet


def test_beeline_is_the_one_of_our_own_environment() -> None:
    words = shlex.split(CLIENTS["beeline"].snippet)
    (program,) = (word for word in words if word.endswith("/beeline"))
    assert Path(program).is_file()
    assert CLIENTS["jdbc"].snippet in words
