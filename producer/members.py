"""The members that orders are invented for: ids and home stores, no personal data."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from pipeline.document import replace_file
from pipeline.errors import Refused
from pipeline.places import Places

_HEADER: Final = ["customer_id", "home_store"]


class Member(NamedTuple):
    """A customer of the loaded customer file."""

    customer_id: int
    home_store: int


def members_file(places: Places) -> Path:
    """Where the pool is kept; `customers load` replaces it."""
    return places.producer / "members.csv"


def write_members(places: Places, rows: Iterable[tuple[int, int]]) -> None:
    """Replace the pool by (customer_id, home_store) rows; a running producer takes it up."""
    path = members_file(places)
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows(rows)
    replace_file(path, text.getvalue().encode("ascii"))


def read_members(places: Places) -> tuple[Member, ...]:
    """Read the pool, () where no customers were loaded; raises Refused where it is damaged."""
    path = members_file(places)
    try:
        with path.open(newline="", encoding="ascii") as stream:
            return tuple(
                Member(int(row["customer_id"]), int(row["home_store"]))
                for row in csv.DictReader(stream)
            )
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(
            f"{path} is damaged; `./loyalty customers load FILE.csv` writes it anew."
        ) from error
