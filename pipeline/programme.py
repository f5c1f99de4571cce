"""The rules of the loyalty programme, read from programme.toml."""

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.contradictions import in_words
from pipeline.errors import Refused


class MenuItem(BaseModel):
    """An item of the demo's menu; the price is for one piece, tax included."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    item: str = Field(min_length=1, max_length=60)
    price: Decimal = Field(ge=0, max_digits=9, decimal_places=2)


class Programme(BaseModel):
    """What programme.toml says. `time_zone` is an IANA name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    time_zone: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    menu: tuple[MenuItem, ...] = Field(min_length=1)

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"{name!r} is no IANA time zone name") from error
        return name


@dataclass(frozen=True, slots=True)
class Calendar:
    """Turns instants into the programme's business dates."""

    zone: ZoneInfo

    def business_date(self, epoch_ms: int) -> date:
        """Give the local date of an instant in epoch milliseconds."""
        return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC).astimezone(self.zone).date()

    def today(self) -> date:
        """Give the business date of now."""
        return datetime.now(tz=self.zone).date()


def read_programme(path: Path) -> Programme:
    """Read and check the file; raises Refused with every fault in it."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror}); restore it from git.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"{path} is no valid TOML: {error}; correct that line.") from error
    try:
        return Programme.model_validate(values)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {in_words(one)}" for one in error.errors()
        )
        raise Refused(f"{path} has faults: {faults}. Correct them and try again.") from error


def calendar(programme: Programme) -> Calendar:
    """Give the calendar of the programme's time zone."""
    return Calendar(ZoneInfo(programme.time_zone))
