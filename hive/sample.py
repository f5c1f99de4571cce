"""The queries of hive/samples/: what each is for, its parameters, and its statement.

All of it is in the file's header: a line `Purpose:`, and for each parameter a line `{name}` with
its meaning and its default, which is a whole number, or `today` for a date.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from hive.sql import FOLDER, read_statement
from pipeline.dates import parse_date
from pipeline.errors import UsageError
from pipeline.nearest import nearest

SAMPLES: Final = FOLDER / "samples"
TODAY: Final = "today"

_PURPOSE: Final = re.compile(r"^-- Purpose: +(.+)\.$", re.MULTILINE)
_PARAMETER: Final = re.compile(r"^-- (?:Parameters:)? +\{(\w+)\} +(.+), default (\S+)$", re.M)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A whole number, or a business date where the default is `today`."""

    name: str
    meaning: str
    default: str

    def read(self, text: str, today: date) -> str:
        """Give a value as the statement has it; raises UsageError for one of another kind."""
        if self.default == TODAY:
            day = today if text == TODAY else parse_date(f"--set {self.name}", text)
            return day.isoformat()
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise UsageError(f"--set {self.name} takes a whole number, not {text!r}.")
        return str(int(text))


@dataclass(frozen=True, slots=True)
class Sample:
    """A query with its purpose, a short sentence, and its parameters."""

    name: str
    purpose: str
    parameters: tuple[Parameter, ...]

    def statement(self, given: Mapping[str, str], today: date) -> str:
        """Fill the query; raises UsageError for a parameter that it has not, or a wrong value."""
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                raise UsageError(
                    f"{self.name} has no {name!r}; it has {', '.join(known)}.{nearest(name, known)}"
                )
        values = {
            name: parameter.read(given.get(name, parameter.default), today)
            for name, parameter in known.items()
        }
        return read_statement(f"samples/{self.name}.sql", **values)


def sample_names() -> list[str]:
    """List the samples, in the order of the alphabet."""
    return sorted(path.stem for path in SAMPLES.glob("*.sql"))


def read_sample(name: str) -> Sample:
    """Read a sample's header; raises UsageError, with the nearest name, where there is none."""
    if name not in (names := sample_names()):
        raise UsageError(
            f"There is no sample {name!r}; there is {', '.join(names)}.{nearest(name, names)}"
        )
    text = (SAMPLES / f"{name}.sql").read_text(encoding="utf-8")
    (purpose,) = _PURPOSE.findall(text)
    return Sample(name, purpose, tuple(Parameter(*found) for found in _PARAMETER.findall(text)))
