"""The data folder's stamp: what was settled at its first start and may not change after."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, replace
from typing import Final

from pipeline.document import replace_file
from pipeline.errors import Refused
from pipeline.layout import VERSION, read_layout, stamp_file
from pipeline.settings import Settings

RESTORING: Final = "restoring"
"""How a folder was begun that a `restore` has not filled yet."""

BEFORE: Final = frozenset({"run", "producer", "refreshes.jsonl", "sql-history"})
"""What commands may have left in a data folder before its first start."""
TILLS: Final = frozenset({"orders-log", "rejected"})
"""What tills may have: their lines are read by the first start."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """`begun` is "demo" or "empty", RESTORING, or "server" for a container's volume; `cluster_id`
    is Kafka's; `given` are the servers that were not ours, by name ("kafka hdfs").
    """

    version: int
    time_zone: str
    partition_hours: int
    cluster_id: str
    begun: str
    given: str = ""


def read_stamp(settings: Settings) -> Stamp | None:
    """Read the stamp, None before the first start; raises Refused for an unknown version."""
    values = read_layout(settings.data)
    return None if values is None else Stamp(**values)


def check_unstamped(settings: Settings, also: frozenset[str] = frozenset()) -> None:
    """Refuse a folder that holds something else than a start that came to nothing, what commands
    leave before the first start, and what else is allowed.
    """
    if holds_more(settings, also):
        raise Refused(
            f"{settings.data} holds files and no stamp of `up`; "
            "set LOYALTY_DATA to a new or an empty folder."
        )


def holds_more(settings: Settings, also: frozenset[str] = frozenset()) -> bool:
    """Tell whether a folder without a stamp holds more than what commands leave before `up`."""
    there = {path.name for path in settings.data.iterdir()} if settings.data.exists() else set()
    half = {name for name in there if name.startswith("stamp.json.")}  # of a start that was killed
    return bool(there - BEFORE - also - half)


def make_cluster_id() -> str:
    """Give 16 random bytes as Kafka writes them; a leading `-` would look like an option to it."""
    while True:
        text = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode("ascii").rstrip("=")
        if not text.startswith("-"):
            return text


def write_stamp(settings: Settings, zone: str, begun: str) -> Stamp:
    """Stamp a new data folder."""
    stamp = Stamp(
        VERSION, zone, settings.partition_hours, make_cluster_id(), begun, " ".join(settings.given)
    )
    return _write(settings, stamp)


def end_restoring(settings: Settings, stamp: Stamp, begun: str) -> Stamp:
    """Say of a folder that it is whole now, and how it was begun once."""
    return _write(settings, replace(stamp, begun=begun))


def _write(settings: Settings, stamp: Stamp) -> Stamp:
    text = json.dumps(asdict(stamp), indent=2) + "\n"
    replace_file(stamp_file(settings.data), text.encode())
    return stamp


def check_folder(settings: Settings, zone: str) -> None:
    """Refuse to write into a folder that was begun with other settings; a new one takes any."""
    if (stamp := read_stamp(settings)) is not None:
        check_stamp(stamp, settings, zone)


def check_stamp(stamp: Stamp, settings: Settings, zone: str) -> None:
    """Refuse another time zone, length of partitions or kind of servers than the folder has, and a
    folder that is half restored.
    """
    if stamp.begun == RESTORING:
        raise Refused(
            f"{settings.data} is half restored: a `restore` was broken off; "
            "`./loyalty down --purge`, then `./loyalty restore` again."
        )
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
    if stamp.given != (given := " ".join(settings.given)):
        raise Refused(
            f"{settings.data} was begun with {_whose(stamp.given)}, the settings name"
            f" {_whose(given)}; what was written is not where these look. Put them back, or use"
            " another LOYALTY_DATA."
        )


def _whose(given: str) -> str:
    """Say which servers are not ours."""
    return f"given servers for {' and '.join(given.split())}" if given else "our own servers"
