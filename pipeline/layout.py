"""The version of the data folder's layout: a program that does not know it leaves it alone."""

import getpass
import json
from pathlib import Path
from typing import Any, Final

from pipeline.errors import Refused

VERSION: Final = 1
"""Goes up whenever an older program could misread what a newer one has written."""


def stamp_file(data: Path) -> Path:
    """Where `up` stamps a data folder."""
    return data / "stamp.json"


def read_layout(data: Path) -> dict[str, Any] | None:
    """Give what the stamp of a data folder says, None where there is none.

    Raises Refused for a stamp that is damaged, of a version that is not known here, or another
    user's.
    """
    path = stamp_file(data)
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise Refused(
            f"{data} is another user's, and {getpass.getuser()} may not look into it; run this as"
            " its owner, or with another LOYALTY_DATA."
        ) from error
    except ValueError as error:
        raise Refused(
            f"{path} is damaged; restore it, or begin anew with another LOYALTY_DATA."
        ) from error
    version = values.get("version") if isinstance(values, dict) else None
    if version != VERSION:
        raise Refused(
            f"{data} has the layout of version {version}, this program "
            f"knows {VERSION}; use the program that made it, or another LOYALTY_DATA."
        )
    return dict(values)
