"""SQL text: statements without comments, and the files beside this module with their parameters."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent

# Hive's lexer: a backslash escapes in '…' and "…", not in `…`; `/*+ … */` is a hint, which counts.
# What is not closed goes on to the end, and Hive says so.
_TOKEN: Final = re.compile(
    r"""
    (?P<comment> --[^\n]* | /\*(?!\+).*?(?:\*/|\Z) )
  | (?P<end> ; )
  | (?P<text> '(?:[^'\\]|\\.)*(?:'|\Z) | "(?:[^"\\]|\\.)*(?:"|\Z) | `[^`]*(?:`|\Z)
            | /\*.*?(?:\*/|\Z) | [^-/;'"`]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_VALUE: Final = re.compile(r"[A-Za-z0-9:/._=-]+")
"""Addresses, paths, dates: nothing that could end a quoted string."""


def statements(text: str) -> Iterator[str]:
    """Split at `;` outside quotes and comments; drop comments, blank ends and empty statements."""
    parts: list[str] = []
    for token in _TOKEN.finditer(text):
        if token["comment"]:
            # between two words a comment is a blank, and what follows stays on its line
            parts.append(" ")
        elif token["end"]:
            yield from _stripped(parts)
            parts = []
        else:
            parts.append(token["text"])
    yield from _stripped(parts)


def is_complete(text: str) -> bool:
    """Tell whether nothing but blanks and comments follows the last `;` of a text."""
    complete = False
    for token in _TOKEN.finditer(text):
        if token["end"]:
            complete = True
        elif token["text"] and not token["text"].isspace():
            complete = False
    return complete


def _stripped(parts: list[str]) -> Iterator[str]:
    if statement := "".join(parts).strip():
        yield statement


def read_statement(name: str, **parameters: str | Sequence[date]) -> str:
    """Read one of our own files ("ddl/loyalty.sql"), which holds one statement, and fill it.

    Each parameter replaces its `{name}`. Only values of our own go here, never input: one that
    is more than letters, digits and `:/._=-`, or a `{name}` left over, raises ValueError. Dates
    become a list of literals, as IN takes it.
    """
    (statement,) = statements((FOLDER / name).read_text(encoding="utf-8"))
    for parameter, value in parameters.items():
        if isinstance(value, str) and not _VALUE.fullmatch(value):
            raise ValueError(f"{parameter} of {name} is no plain value: {value!r}")
        text = value if isinstance(value, str) else _literals(value)
        statement = statement.replace(f"{{{parameter}}}", text)
    if left := re.findall(r"\{\w+\}", statement):
        raise ValueError(f"{name} has parameters without values: {', '.join(left)}")
    return statement


def _literals(days: Sequence[date]) -> str:
    return ", ".join(f"DATE '{day:%Y-%m-%d}'" for day in days)
