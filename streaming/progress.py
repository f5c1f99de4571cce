"""What the stream has done, in a small file that `status` and the start read."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.places import Places
from streaming.staging import Counts, Gap, Record


@dataclass(frozen=True, slots=True)
class Progress:
    """Times in epoch seconds (UTC); the rest is that of the newest batch, if there is one.

    offsets: the next offset by Kafka partition. totals: of the epoch. gaps: what only a rebuild
    brings back.
    """

    started_at: float
    at: float
    epoch: int | None
    batch: int | None
    topic_id: str
    offsets: dict[int, int]
    totals: Counts
    gaps: tuple[Gap, ...]


def progress_file(places: Places) -> Path:
    """Where it is kept."""
    return places.run / "stream.json"


def write_progress(
    places: Places, started_at: float, at: float, topic_id: str, last: Record | None
) -> None:
    """Replace the file as a whole; the record's offsets count for the very topic only."""
    document = Progress(
        started_at=started_at,
        at=at,
        epoch=last.epoch if last else None,
        batch=last.batch if last else None,
        topic_id=topic_id,
        offsets=last.next if last and last.topic_id == topic_id else {},
        totals=last.totals if last else Counts(),
        gaps=last.gaps if last else (),
    )
    path = progress_file(places)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(asdict(document)) + "\n", encoding="utf-8")
    new.replace(path)


def read_progress(places: Places) -> Progress | None:
    """Read the file; None where the stream has never started."""
    try:
        values: dict[str, Any] = json.loads(progress_file(places).read_bytes())
    except FileNotFoundError:
        return None
    return Progress(
        **values
        | {
            "offsets": {int(part): offset for part, offset in values["offsets"].items()},
            "totals": Counts(**values["totals"]),
            "gaps": tuple(Gap(**gap) for gap in values["gaps"]),
        }
    )
