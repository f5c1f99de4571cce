"""Local times of a till as instants."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

FIRST_MS: Final = 1_000_000_000_000
LAST_MS: Final = 9_999_999_999_999
"""ordered_at has 13 digits: from September 2001 to November 2286."""

_DAY: timedelta = timedelta(days=1)


class LocalTime:
    """Turns local dates and times in `zone` into epoch milliseconds."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._midnight = lru_cache(maxsize=64)(self._even_midnight)

    def epoch_ms(self, day: date, seconds: int) -> int | None:
        """Give the instant of a clock that shows `seconds` after midnight (0-86,399).

        In the hour that comes twice when clocks go back it is the first one: the export cannot
        tell, and a replay must give the same line each time. None in the hour that clocks leave
        out.
        """
        midnight = self._midnight(day)
        if midnight is not None:
            return midnight + seconds * 1000
        shown = datetime.combine(day, datetime.min.time()) + timedelta(seconds=seconds)
        instant = shown.replace(tzinfo=self.zone).astimezone(UTC)
        if instant.astimezone(self.zone).replace(tzinfo=None) != shown:
            return None
        return int(instant.timestamp()) * 1000

    def _even_midnight(self, day: date) -> int | None:
        """Give a day's first instant; None for a day on which the clocks are changed."""
        first = datetime.combine(day, datetime.min.time(), tzinfo=self.zone)
        if first.utcoffset() != (first + _DAY).utcoffset():
            return None
        return int(first.timestamp()) * 1000
