"""The variables of the settings: LOYALTY_ and the field's name, in the environment and in .env."""

import logging
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final

from dotenv.parser import parse_stream
from pydantic_settings import DotEnvSettingsSource

from pipeline.errors import UsageError
from pipeline.nearest import ALIKE_AS_A_WHOLE, nearest

PREFIX: Final = "LOYALTY_"
OTHERS: Final = ("COMPOSE_", "DOCKER_", "PIPELINE_ENV_FILE")
"""Docker's variables may stand in the same .env, which it reads too."""
GIVEN: Final = "given_"
"""In front of the fields for servers that exist already: LOYALTY_KAFKA is given_kafka, because
`settings.kafka` is the address that everybody uses, given or not."""

# dotenv logs a line that it cannot read and goes on without it; find_faults names it
logging.getLogger("dotenv.main").addHandler(logging.NullHandler())


class EnvFile(DotEnvSettingsSource):
    """`.env`: a relative path in it is one in its folder, wherever the command is called."""

    def __call__(self) -> dict[str, Any]:
        """Give what the file sets, by field; unknown names are find_faults' to tell."""
        found = super().__call__()
        folder = Path(str(self.env_file)).parent
        paths = {name: found[name] for name in ("data", "programme") if name in found}
        return found | {name: folder / Path(path).expanduser() for name, path in paths.items()}


def variable_of(field: str) -> str:
    """Give a field's variable: LOYALTY_KAFKA_PORT for kafka_port."""
    return PREFIX + field.removeprefix(GIVEN).upper()


def suggest(name: str, known: Collection[str], listed: str = ".env.example") -> str:
    """Give the end of `… is no setting`: the variable that was meant, or where all are listed.

    (`config` lists them too, but not while a name is wrong.)
    """
    found = nearest(name, known, PREFIX)
    return f".{found}" if found else f"; {listed} lists all settings"


def find_unknown(names: Iterable[str], known: Collection[str]) -> list[str]:
    """Name those variables of the environment that begin with LOYALTY_ and are no settings, or with
    a word much like that and are settings but for it.
    """
    return [
        f"{name} is no setting{suggest(name.upper(), known)}"
        for name in sorted(names)
        if name.upper() not in known and _is_ours(name.upper(), known)
    ]


def _is_ours(name: str, known: Collection[str]) -> bool:
    first, _, rest = name.partition("_")
    likeness = SequenceMatcher(None, f"{first}_", PREFIX).ratio()
    return name.startswith(PREFIX) or (likeness >= ALIKE_AS_A_WHOLE and PREFIX + rest in known)


def find_faults(file: Path, known: Collection[str]) -> list[str]:
    """Name the lines of a .env file that are no setting of ours, whatever their value.

    A file that is not there has none. Raises UsageError for one that cannot be read as text.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read ({error}); correct it or remove it.") from error
    faults = []
    for line in bindings:
        where = f"line {line.original.line} of {file.name}"
        if line.error or (line.key is not None and line.value is None):
            faults.append(f"{where} is not NAME=value")
        elif line.key is not None and line.key.startswith(OTHERS):
            continue
        elif line.key is not None and line.key.upper() not in known:
            faults.append(f"{line.key} ({where}) is no setting{suggest(line.key.upper(), known)}")
    return faults
