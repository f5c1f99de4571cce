"""The data folder's stamp: what was settled at its first start and may not change after."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import Refused
from pipeline.settings import Settings

VERSION: Final = 1
"""Of the data folder's layout; a program that does not know a folder's version refuses it."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """`begun` is "demo" or "empty"; `cluster_id` is Kafka's."""

    version: int
    time_zone: str
    partition_hours: int
    cluster_id: str
    begun: str


def _path(settings: Settings) -> Path:
    return settings.data / "stamp.json"


def read_stamp(settings: Settings) -> Stamp | None:
    """Read the stamp, None before the first start; raises Refused for an unknown version."""
    if not _path(settings).exists():
        return None
    try:
        values = json.loads(_path(settings).read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refused(
            f"{_path(settings)} is damaged; restore it, or begin anew with another LOYALTY_DATA."
        ) from error
    if values.get("version") != VERSION:
        raise Refused(
            f"{settings.data} has the layout of version {values.get('version')}, this program "
            f"knows {VERSION}; use the program that made it, or another LOYALTY_DATA."
        )
    return Stamp(**values)


def check_unstamped(settings: Settings) -> None:
    """Refuse a folder that holds something else than a start that came to nothing."""
    if settings.data.exists() and {path.name for path in settings.data.iterdir()} - {"run"}:
        raise Refused(
            f"{settings.data} holds files and no stamp of `up`; "
            "set LOYALTY_DATA to a new or an empty folder."
        )


def make_cluster_id() -> str:
    """Give 16 random bytes as Kafka writes them; a leading `-` would look like an option to it."""
    while True:
        text = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode("ascii").rstrip("=")
        if not text.startswith("-"):
            return text


def write_stamp(settings: Settings, zone: str, begun: str) -> Stamp:
    """Stamp a new data folder."""
    cluster_id = make_cluster_id()
    stamp = Stamp(VERSION, zone, settings.partition_hours, cluster_id, begun)
    fresh = _path(settings).with_suffix(".new")
    fresh.write_text(json.dumps(asdict(stamp), indent=2) + "\n", encoding="utf-8")
    fresh.replace(_path(settings))
    return stamp


def check_stamp(stamp: Stamp, settings: Settings, zone: str) -> None:
    """Refuse another time zone or another length of partitions than the folder has."""
    if stamp.time_zone != zone:
        raise Refused(
            f"{settings.data} holds business dates in {stamp.time_zone}, programme.toml says "
            f"{zone}; put {stamp.time_zone} back, or use another LOYALTY_DATA."
        )
    if stamp.partition_hours != settings.partition_hours:
        raise Refused(
            f"{settings.data} has partitions of {stamp.partition_hours} hours, "
            f"LOYALTY_PARTITION_HOURS says {settings.partition_hours}; put it back, "
            "or use another LOYALTY_DATA."
        )
