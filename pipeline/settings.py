"""Every setting, in one frozen model: `LOYALTY_*` in the environment, then `.env`, then defaults.

Read once, in a command's or stage's main; everything else is given values. A field's docstring is
what .env.example and `./loyalty config` say of it.
"""

import os
import re
from pathlib import Path
from typing import Any, Final, Self

from pydantic import (
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from pipeline.contradictions import describe, refuse_contradictions
from pipeline.errors import UsageError
from pipeline.layout import read_layout
from pipeline.recurrence import parse as parse_recurrence
from pipeline.servers import Servers
from pipeline.variables import PREFIX, EnvFile, find_faults, find_unknown, variable_of

ROOT: Final = Path(__file__).resolve().parent.parent
"""The checkout."""


class Settings(Servers):
    """Where the servers are comes from Servers; folders, schedules and times are here."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ROOT / ".env", env_ignore_empty=True, frozen=True,
        extra="forbid", validate_default=True, use_attribute_docstrings=True,
        dotenv_filtering="only_existing",
    )  # fmt: skip

    data: Path = ROOT / "var"
    """Everything that this stack writes: data, configuration, logs, secrets."""
    programme: Path = ROOT / "programme.toml"
    """The chain's own rules: time zone, currency, menu."""

    hdfs_superuser: str = Field("root", pattern=r"^[A-Za-z0-9._-]{1,64}$")
    """Who makes our folders on a given HDFS: its superuser; our own has root."""
    hdfs_replication: int = Field(default=3, ge=1, le=512)
    """How many copies of our files a given HDFS keeps; our own keeps one."""

    topic: str = "orders"
    """The Kafka topic of the order lines."""
    topic_partitions: int = Field(default=2, ge=1, le=200)
    """How many partitions the topic gets when it is made."""
    trigger_seconds: float = Field(default=5, gt=0, le=3600)
    """How often the stream takes what has arrived."""
    batch_lines: int = Field(50_000, ge=1)
    """The most lines that one micro-batch takes: bounds the driver's memory."""
    partition_hours: int = Field(default=24, ge=1, le=24)
    """Hours of a partition of transactions_cln; fixed with the data folder."""

    producer: bool = True
    """Whether a new stack is a demo, with invented members and orders; 0 is `up --empty`."""

    refresh: str = "5m"
    """When `loyalty` is refreshed: an interval (5m, 90s, 1h), cron in programme time, or off."""
    refresh_nightly: str = "15 3 * * *"
    """When snapshots older than seven days are restated too: cron in programme time, or off."""

    log_roll_mib: int = Field(default=64, ge=1)
    """The size at which a writer begins another order log file."""
    log_roll_minutes: int = Field(default=60, ge=1)
    """The age at which a writer begins another order log file."""
    log_retention_days: int = Field(default=7, ge=1)
    """How long an order log file stays after Flume has read it."""
    topic_retention_days: int = Field(default=90, ge=1, le=3650)
    """How long Kafka keeps a line, read or not: longer than the stack is ever down."""
    raw_retention_days: int = Field(default=0, ge=0, le=36_500)
    """How long HDFS raw, the master data set, keeps a date of arrival; 0: for ever. What is gone
    can neither be rebuilt nor be restored into another stack."""
    generation_minutes: int = Field(default=60, ge=20, le=300)
    """How long readers may still read a folder that was replaced; a query that takes longer than
    ten minutes less is ended by Hive."""
    server_log_mib: int = Field(default=10, ge=1, le=10_000)
    """The size at which a server's log is put aside."""
    server_log_files: int = Field(default=3, ge=1, le=100)
    """How many logs that were put aside are kept, for each server."""
    hbase_old_minutes: int = Field(default=10, ge=1, le=100_000)
    """How long HBase keeps logs and files that it needs no more."""
    hive_scratch_hours: int = Field(default=24, ge=6, le=8760)
    """How long the scratch folder of a session that Hive did not end stays. (A session is idle for
    four hours at most, and a query takes five.)"""

    @field_validator("refresh", "refresh_nightly")
    @classmethod
    def _is_schedule(cls, words: str) -> str:
        parse_recurrence(words)
        return words

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
        if path.exists() and not path.is_dir():
            raise ValueError("has to be a folder")
        return path

    @field_validator("topic")
    @classmethod
    def _is_legal(cls, name: str) -> str:
        # Kafka's own rule; it keeps names that begin with two underscores for itself
        if not re.fullmatch(r"(?!__)[A-Za-z0-9._-]{1,249}", name) or name in {".", ".."}:
            raise ValueError(
                "has to be 1 to 249 letters, digits and . _ -, not . or .. and not __ in front"
            )
        return name

    @field_validator("partition_hours")
    @classmethod
    def _divides_a_day(cls, hours: int) -> int:
        if 24 % hours:
            raise ValueError("is no divisor of 24")
        return hours

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        refuse_contradictions(self)
        return self

    @property
    def grace_seconds(self) -> int:
        """How long an old generation stays."""
        return self.generation_minutes * 60

    @property
    def replication(self) -> int:
        """How many copies HDFS keeps of our files: our own has one DataNode."""
        return self.hdfs_replication if "hdfs" in self.given else 1

    @property
    def superuser(self) -> str:
        """HDFS's superuser, who makes our folders."""
        return self.hdfs_superuser if "hdfs" in self.given else "root"

    @property
    def is_scheduled(self) -> bool:
        """Tell whether a schedule refreshes `loyalty`."""
        return any(parse_recurrence(words) for words in (self.refresh, self.refresh_nightly))

    def environment(self) -> dict[str, str]:
        """Give every setting as its variable, so that a child sees what its parent read."""
        return {variable_of(name): str(value) for name, value in self.model_dump().items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read `.env` in our own way; nothing is read from secret files."""
        return init_settings, env_settings, EnvFile(settings_cls)


def defaults() -> dict[str, Any]:
    """Give every setting's default, by variable."""
    return {variable_of(name): field.default for name, field in Settings.model_fields.items()}


def env_file() -> Path:
    """Give where `.env` is, or would be."""
    return Path(str(Settings.model_config["env_file"]))


def read_settings() -> Settings:
    """Read environment and `.env`; raises UsageError that names everything wrong at once, and
    Refused for a data folder whose layout this program does not know.

    A misspelt name, in the environment or in `.env`, is wrong like a value is.
    """
    known = defaults()
    faults = find_unknown(os.environ, known) + find_faults(env_file(), known)
    settings = None
    try:
        settings = Settings()
    except ValidationError as error:
        faults += describe(error, Settings, known)
    if settings is None or faults:
        told = [fault if fault.endswith("?") else f"{fault}." for fault in faults]
        each = f" {told[0]} " if len(told) == 1 else "".join(f"\n  {one}" for one in told) + "\n"
        raise UsageError(f"Wrong settings:{each}Correct the environment or .env.")
    read_layout(settings.data)
    return settings
