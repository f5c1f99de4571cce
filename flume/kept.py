"""A copy of the agent's position file, for an agent that finds one of no use: torn, or wrong in it.

Flume writes the file in its place, each second or so: a kill at that moment leaves half of it, and
without positions the next agent reads every order log file from its beginning. Positions of some
seconds ago bring only the lines since then once more, which are dropped as duplicates.
"""

import json
from contextlib import suppress
from pathlib import Path

from pipeline.document import replace_file
from pipeline.places import Places


def keep_positions(places: Places) -> None:
    """Copy the position file of the running agent, if it is whole; without room the copy stays."""
    with suppress(OSError):
        content = places.positions.read_bytes()
        if _is_whole(content):
            replace_file(copy_of_positions(places), content)


def mend_positions(places: Places) -> bool:
    """Put the copy in the place of a position file that is torn or has a value that Flume cannot
    take, before the agent starts; tells whether. Without a copy such a file is removed: Flume never
    starts with a wrong value, and everything is read again. Where somebody removed the file that is
    what is wanted: the copy goes, too.
    """
    copy = copy_of_positions(places)
    try:
        content = places.positions.read_bytes()
    except FileNotFoundError:
        copy.unlink(missing_ok=True)
        return False
    if _is_whole(content):
        return False
    if not copy.exists():
        places.positions.unlink()
        return False
    replace_file(places.positions, copy.read_bytes())
    return True


def copy_of_positions(places: Places) -> Path:
    """Give where the copy is."""
    return places.positions.with_name("positions-of-before.json")


def _is_whole(content: bytes) -> bool:
    try:
        entries = json.loads(content)
        return isinstance(entries, list) and all(
            _is_number(entry["inode"]) and _is_number(entry["pos"]) and type(entry["file"]) is str
            for entry in entries
        )
    except (ValueError, TypeError, KeyError):
        return False


def _is_number(value: object) -> bool:
    """Tell whether it is one for Flume: a Java long that is not negative."""
    return type(value) is int and 0 <= value < 2**63
