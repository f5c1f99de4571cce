"""A snapshot of `loyalty`: what it was made from, and which earlier one it can be built upon.

In each snapshot's folder a file (`_made_from.json`) says the generation of customers_cln, and the
digest of all days of spend_daily up to its date. It enters with the rows, so it is never of others.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import orc

from hive.days import Days, digests
from hive.generations import GenerationTable
from hive.session import Session
from hive.sql import read_statement
from pipeline.errors import Refused
from pipeline.generations import highest
from pipeline.stores.fetched import fetched
from pipeline.temporary import temporary_folder
from pipeline.webhdfs import Hdfs

NOTE: Final = "_made_from.json"
NEVER: Final = date(1970, 1, 1)
"""Before every business date."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a snapshot was made from. customers: see hive.refresh.mark_of; days: see
    hive.days.digests.
    """

    customers: str
    days: str


@dataclass(frozen=True, slots=True)
class Base:
    """The snapshot to build upon. complete: it lists all members of today's customers_cln."""

    data_dt: date = NEVER
    complete: bool = True


@dataclass
class Snapshots:
    """The snapshots that exist, and what they would be made from now.

    dates: those of Hive's partitions. days: of spend_daily. customers: the mark of its newest
    generation.
    """

    table: GenerationTable
    dates: set[date]
    days: Days
    customers: str
    _now: dict[date, str] = field(init=False)
    _made: dict[date, Made | None] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Look at the days once for all dates."""
        self._now = digests(self.days, self.dates)

    def now(self, data_dt: date) -> Made:
        """Give what a snapshot of this date is to be made from."""
        if data_dt not in self._now:
            self._now |= digests(self.days, [data_dt])
        return Made(self.customers, self._now[data_dt])

    def is_right(self, data_dt: date) -> bool:
        """Tell whether there is one that nothing has touched since it was made."""
        return data_dt in self.dates and self._read(data_dt) == self.now(data_dt)

    def base(self, data_dt: date) -> Base:
        """Give the latest earlier one whose spend nothing new touches."""
        for earlier in sorted((d for d in self.dates if d < data_dt), reverse=True):
            made = self._read(earlier)
            if made is not None and made.days == self.now(earlier).days:
                return Base(earlier, complete=made.customers == self.customers)
        return Base()

    def enter(self, staged: str, data_dt: date, session: Session) -> str:
        """Make a staged one the one that is read; give its folder."""
        made = self.now(data_dt)
        note = json.dumps(asdict(made)).encode()
        folder = self.table.enter(staged, f"data_dt={data_dt}", {NOTE: note})
        self.table.show(session, f"data_dt={data_dt}")
        self.dates.add(data_dt)
        self._made[data_dt] = made
        return folder

    def _read(self, data_dt: date) -> Made | None:
        if data_dt not in self._made:
            self._made[data_dt] = read_note(self.table, data_dt)
        return self._made[data_dt]


def read_note(table: GenerationTable, data_dt: date) -> Made | None:
    """Read what a snapshot was made from; None where its folder does not say."""
    home = table.home(f"data_dt={data_dt}")
    with suppress(FileNotFoundError, ValueError, TypeError):
        note: dict[str, Any] = json.loads(
            table.hdfs.read(f"{home}/g={highest(table.hdfs, home)}/{NOTE}")
        )
        return Made(**note)
    return None


def build(session: Session, location: str, data_dt: date, base: Base) -> None:
    """Write the rows of a snapshot into an own new folder (hdfs://…), as ORC."""
    older = NEVER if base.complete else base.data_dt
    session.run("DROP TABLE IF EXISTS loyalty_staged")
    session.run(read_statement("loyalty/staged.sql", location=location))
    session.run(
        read_statement(
            "loyalty/refresh.sql", data_dt=str(data_dt), base=str(base.data_dt), older=str(older)
        )
    )


def check(hdfs: Hdfs, folder: str, data_dt: date) -> tuple[int, Decimal]:
    """Look at what was built, before anybody else does: its rows, their spend (programme currency).

    Refused where a customer is listed twice: nothing is published then. (Hive would take longer for
    it than for half of the building.)
    """
    ids, spends = [], []
    paths = [path for path, _ in hdfs.walk(folder) if path.rpartition("/")[2][0] not in "._"]
    with temporary_folder("snapshot") as scratch:
        for _, copy in fetched(hdfs, paths, scratch):
            rows = orc.read_table(copy, columns=["cust_id", "spnd_amt"])
            ids += rows["cust_id"].chunks
            spends += rows["spnd_amt"].chunks
    customers = pa.chunked_array(ids, pa.int64())
    spent = pa.chunked_array(spends, pa.decimal128(18, 2))
    different = pc.count_distinct(customers).as_py()
    if different != len(customers):
        raise Refused(
            f"The snapshot of {data_dt} would have {len(customers)} rows for {different} customers,"
            " because customers_cln lists some twice; load the customers again, then refresh."
        )
    return len(customers), pc.sum(spent).as_py() or Decimal(0)
