"""What the commands have to make: customer files of the drill's own, and snapshots counted here.

The counts share no code with the pipeline: the CSV that was written, the order log and the key. Of
what others have sold on the same stack before, the sums are Hive's own (`remember`): the drill's
lines are counted on top of them.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from drill.oracle import NO_ROW, read_key
from drill.stack import OwnStack
from producer.pool import demo_members


@dataclass
class Members:
    """The customer files of a drill, each with another number of members, all of one name.

    shown: the number of the file that Hive has to show.
    """

    stack: OwnStack
    key: Path
    data_dt: date
    zone: ZoneInfo
    shown: int = 0
    snapshot: int = 0
    """The file whose members the snapshot has to list."""
    _written: int = field(default=0, init=False)
    _before: dict[int, int] = field(default_factory=dict, init=False)

    def remember(self) -> None:
        """Take what Hive shows now as what was spent before: cents by customer."""
        rows = self.stack.sql(
            "select cust_id, sum(odr_prc) spent from transactions_cln"  # noqa: S608 (a date)
            f" where odr_dt <= date '{self.data_dt}' and cust_id is not null group by cust_id"
        )
        self._before = {row["cust_id"]: _cents(row["spent"]) for row in rows}

    def write(self) -> list[str]:
        """Write the next file; gives the command that loads it. One row in it is broken."""
        self._written += 1
        path = self.stack.settings.data / f"members-{self._written}.csv"
        rows = [
            f"{member},{store},Load {self._written},m{member}@example.org,2020-01-31,"
            f'"{member:010}",1990-02-28,F,1990'
            for member, store in self.ids(self._written)
        ]
        path.write_text("\n".join([*rows, "0,broken"]) + "\n", encoding="utf-8")
        return ["customers", "load", str(path)]

    def ids(self, number: int) -> list[tuple[int, int]]:
        """Give (customer_id, home_store) of a file."""
        return [(m.customer_id, m.home_store) for m in demo_members()[: 500 + 100 * (number % 15)]]

    @property
    def written(self) -> int:
        """The number of the newest file."""
        return self._written

    @property
    def refresh(self) -> list[str]:
        """The command that makes the snapshot."""
        return ["refresh", "--data-dt", str(self.data_dt)]

    def faults_of_table(self, *numbers: int) -> list[str]:
        """Say what is wrong when Hive shows none of these files, whole and once each row."""
        (row,) = self.stack.sql(
            "select count(*) n, count(distinct cust_id) d, sum(cust_id) s, min(cust_nm) low,"
            " max(cust_nm) high from customers_cln"
        )
        found = (row["n"], row["d"], row["s"], row["low"], row["high"])
        wanted = []
        for number in numbers:
            ids = [member for member, _ in self.ids(number)]
            wanted.append((len(ids), len(ids), sum(ids), f"Load {number}", f"Load {number}"))
        return [] if found in wanted else [f"customers_cln shows {found}, and not {wanted}."]

    def faults_of_snapshot(self, *numbers: int) -> list[str]:
        """Say what is wrong when the snapshot is none that was made of one of these files."""
        rows = self.stack.sql(
            "select cust_id, cust_name, spnd_amt from loyalty"  # noqa: S608 (a date)
            f" where data_dt = '{self.data_dt}' order by cust_id"
        )
        found = [(r["cust_id"], r["cust_name"], _cents(r["spnd_amt"])) for r in rows]
        spent = spend(self.stack.places.order_log, self.key, self.data_dt, self.zone)
        for number in numbers:
            wanted = [
                (member, f"Load {number}", self._before.get(member, 0) + spent[member])
                for member, _ in sorted(self.ids(number))
            ]
            if found == wanted:
                return []
        differing = [row for row in zip(found, wanted, strict=False) if row[0] != row[1]][:2]
        fault = (
            f"loyalty of {self.data_dt} has {len(found):,} rows, and is no snapshot of load"
            f" {numbers}: {differing}."
        )
        return [fault]


def spend(order_log: Path, key: Path, data_dt: date, zone: ZoneInfo) -> dict[int, int]:
    """Give each customer's net spend in cents, up to and with a business date, of a key's lines."""
    faults: dict[bytes, bytes] = {}
    for _, digest, fault in read_key(key):
        faults.setdefault(bytes.fromhex(digest.decode()), fault)
    spent: defaultdict[int, int] = defaultdict(int)
    seen: set[tuple[bytes, ...]] = set()
    for file in sorted(order_log.glob("*.log")):
        for line in file.read_bytes().split(b"\n")[:-1]:
            fault = faults.get(hashlib.md5(line, usedforsecurity=False).digest(), NO_ROW[0])
            fields = line.split(b"|")
            if fault in NO_ROW or tuple(fields[:5]) in seen or not fields[0]:
                continue
            seen.add(tuple(fields[:5]))
            if datetime.fromtimestamp(int(fields[1]) / 1000, tz=zone).date() <= data_dt:
                cents = int(fields[8].replace(b".", b""))
                spent[int(fields[0])] += -cents if fields[4] == b"REFUND" else cents
    return spent


def _cents(amount: object) -> int:
    """Give the cents of an amount with two places; one with more is a bug."""
    cents = Decimal(str(amount)) * 100
    if cents != int(cents):
        raise ValueError(f"{amount} has fractions of a cent")
    return int(cents)
