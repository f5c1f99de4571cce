"""Small files that one process replaces as a whole and others read: old, new, never half."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def replace_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Replace the file, or make it. After a power cut it is the old one or the new one.

    mode: of the file, less what the umask takes away.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # of its own: several processes may replace the file at the same moment
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        new.touch(mode)
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            # else the name may be on the disk without the content
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)  # on a full disk each try would leave one
        raise


def replace_document(path: Path, document: Any) -> None:
    """Replace a file of JSON, or make it."""
    replace_file(path, json.dumps(document).encode() + b"\n")


def read_document(path: Path) -> dict[str, Any] | None:
    """Read the file; None where there is none, or none that can be read.

    Only for what somebody writes again, so that a torn file stops nobody for ever.
    """
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return document if isinstance(document, dict) else None
