"""Every setting as its user sees it: value, origin, default and sentence; and .env.example."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from pipeline.settings import ROOT, Settings
from pipeline.variables import PREFIX, EnvFile, variable_of

GROUPS: Final = (
    ("Places", r"data|programme"),
    ("Servers that exist already: host:port, or embedded for one of our own", r"given_.*|hdfs_.*"),
    ("Ports of our own servers, from 1024 to 65535", r".*_port"),
    ("How long things are kept", r".*_retention.*"),
    ("The order log files", r"log_.*"),
    ("The topic and the stream", r"topic.*|trigger_.*|batch_.*|partition_.*"),
    ("The refresh", r"refresh.*"),
    ("The rest", r".*"),
)
"""Headings, and the fields under them: the first that fits has a field."""
UNITS: Final = ("seconds", "minutes", "hours", "days", "mib", "lines")
"""The last word of a field's name is its unit."""

HEAD: Final = """\
# Every setting with its default. `cp .env.example .env`, then take away the # in front of what you
# change; a variable in the environment wins over .env. `./loyalty config` shows what is in force.
# (Made by `.venv/bin/python -m pipeline.explanation`, and compared by a test.)
"""


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting, in texts; origin: default, .env or environment; unit: with the bounds."""

    name: str
    value: str
    origin: str
    default: str
    unit: str
    sentence: str
    group: str

    @property
    def is_changed(self) -> bool:
        """Tell whether its value is another one than the default."""
        return self.value != self.default


def explain(settings: Settings) -> list[Explained]:
    """Explain every setting, group by group, as it was read."""
    origins: dict[str, str] = {}
    for source, origin in (
        (EnvFile(Settings), ".env"),
        (EnvSettingsSource(Settings), "environment"),
    ):
        names = (PREFIX + name.upper().removeprefix(PREFIX) for name in source())
        origins |= dict.fromkeys(names, origin)
    found = [
        Explained(
            name=variable_of(field),
            value=_text(getattr(settings, field)),
            origin=origins.get(variable_of(field), "default"),
            default=_text(info.default),
            unit=_unit(field, info),
            sentence=first_sentence(info.description or ""),
            group=next(title for title, fields in GROUPS if re.fullmatch(fields, field)),
        )
        for field, info in Settings.model_fields.items()
    ]
    titles = [title for title, _ in GROUPS]
    return sorted(found, key=lambda one: titles.index(one.group))


def _text(value: Any) -> str:
    """Give a value as .env has it; a path in the checkout without the way there."""
    if isinstance(value, Path) and value.is_relative_to(ROOT):
        return str(value.relative_to(ROOT))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _unit(field: str, info: FieldInfo) -> str:
    words = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
    bounds = {w: getattr(one, w) for one in info.metadata for w in words if hasattr(one, w)}
    unit = field.rpartition("_")[2]
    parts = [unit.replace("mib", "MiB")] if unit in UNITS else []
    if bounds.keys() == {"ge", "le"}:
        parts.append(f"{bounds['ge']} to {bounds['le']}")
    else:
        parts += [f"{words[word]} {bound}" for word, bound in bounds.items()]
    return ", ".join(parts)


def first_sentence(text: str) -> str:
    """Give a docstring's first sentence, in one line."""
    return re.split(r"(?<=\.)\s", " ".join(text.split()), maxsplit=1)[0]


def example() -> str:
    """Give .env.example: each setting with its sentence, unit and default."""
    defaults = Settings.model_construct()
    return HEAD + "".join(
        f"\n# --- {title}\n\n" + "\n".join(_lines(list(found)))
        for title, found in groupby(explain(defaults), key=lambda one: one.group)
    )


def _lines(group: list[Explained]) -> Iterator[str]:
    for one in group:
        is_port = one.name.endswith("_PORT")  # their heading has the bounds
        said = one.sentence if is_port or not one.unit else f"{one.sentence} ({one.unit})"
        yield textwrap.fill(said, 100, initial_indent="# ", subsequent_indent="# ")
        yield f"#{one.name}={one.default}\n"


if __name__ == "__main__":
    print(example(), end="")
