"""Every setting, in one frozen model: `LOYALTY_*` in the environment, then `.env`, then defaults.

Read once, in a command's or stage's main; everything else is given values.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.errors import UsageError

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""

Port = Annotated[int, Field(ge=1024, le=65_535)]


class Settings(BaseSettings):
    """Ports are the servers' own standard ones; hosts are loopback."""

    model_config = SettingsConfigDict(
        env_prefix="LOYALTY_", env_file=ROOT / ".env", env_ignore_empty=True, frozen=True,
        extra="forbid", validate_default=True,
    )  # fmt: skip

    data: Path = ROOT / "var"
    """Everything that this stack writes: data, configuration, logs, secrets."""
    programme: Path = ROOT / "programme.toml"

    kafka_port: Port = 9092
    kafka_controller_port: Port = 9093
    namenode_port: Port = 8020
    namenode_http_port: Port = 9870
    datanode_port: Port = 9866
    datanode_ipc_port: Port = 9867
    datanode_http_port: Port = 9864
    hbase_master_port: Port = 16000
    hbase_regionserver_port: Port = 16020
    zookeeper_port: Port = 2181
    thrift_port: Port = 9090
    metastore_port: Port = 9083
    hiveserver2_port: Port = 10000

    topic: str = Field(default="orders", pattern=r"^[A-Za-z0-9._-]{1,200}$")
    topic_partitions: int = Field(default=2, ge=1, le=200)
    trigger_seconds: float = Field(default=5, gt=0, le=3600)
    """How often the stream takes what has arrived."""
    batch_lines: int = Field(50_000, ge=1)
    """The most lines that one micro-batch takes: bounds the driver's memory."""
    partition_hours: int = Field(default=24, ge=1, le=24)
    """Hours of a partition of transactions_cln; fixed with the data folder."""

    log_roll_mib: int = Field(default=64, ge=1)
    log_roll_minutes: int = Field(default=60, ge=1)
    log_retention_days: int = Field(default=7, ge=1)
    """How long an order log file stays after Flume has read it."""

    @field_validator("data", "programme")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().resolve()

    @field_validator("data")
    @classmethod
    def _is_plain(cls, path: Path) -> Path:
        # the servers take it in URIs, class paths and properties files; a socket's path has 107
        if not re.fullmatch(r"[A-Za-z0-9._/+-]{1,80}", str(path)):
            raise ValueError(
                "has to be a path of at most 80 letters, digits and . _ + - / (no spaces)"
            )
        return path

    @field_validator("data")
    @classmethod
    def _is_a_folder(cls, path: Path) -> Path:
        if path.exists() and not path.is_dir():
            raise ValueError("has to be a folder")
        return path

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        taken: dict[int, str] = {}
        for name in (name for name in type(self).model_fields if name.endswith("_port")):
            port = getattr(self, name)
            if port in taken:
                first, second = (f"LOYALTY_{n.upper()}" for n in (taken[port], name))
                raise ValueError(f"{first} and {second} are both {port}")
            taken[port] = name
        return self

    @field_validator("partition_hours")
    @classmethod
    def _divides_a_day(cls, hours: int) -> int:
        if 24 % hours:
            raise ValueError("is no divisor of 24")
        return hours

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return f"127.0.0.1:{self.kafka_port}"

    @property
    def hdfs(self) -> str:
        """The file system's URI, as Spark, Hive and Flume want it."""
        return f"hdfs://127.0.0.1:{self.namenode_port}"

    @property
    def webhdfs(self) -> str:
        """Where the `hdfs` package finds the NameNode."""
        return f"http://127.0.0.1:{self.namenode_http_port}"

    def environment(self) -> dict[str, str]:
        """Give every setting as its variable, so that a child sees what its parent read."""
        return {f"LOYALTY_{name.upper()}": str(value) for name, value in self.model_dump().items()}


def read_settings() -> Settings:
    """Read environment and `.env`; raises UsageError that names every wrong setting at once."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(
            f"LOYALTY_{str(e['loc'][0]).upper().removeprefix('LOYALTY_')} "
            f"{e['msg'].removeprefix('Value error, ')} (got {e['input']!r})"
            if e["loc"]
            else e["msg"].removeprefix("Value error, ")
            for e in error.errors()
        )
        raise UsageError(f"Wrong settings: {faults}. Correct the environment or .env.") from error
