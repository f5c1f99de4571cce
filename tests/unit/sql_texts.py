"""The SQL files of hive/ as text, and the columns that they name."""

import re

from hive.sql import FOLDER

COLUMN = re.compile(r"^\s+(\w+)\s+([A-Z]+(?:\([0-9,]+\))?)\s+COMMENT '([^']+)'", re.MULTILINE)


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def columns_of(name: str) -> list[tuple[str, str]]:
    return [(column, kind) for column, kind, _ in COLUMN.findall(text_of(name))]
