"""An independent reckoning of a receipts export: plain Python, no code of the pipeline."""

import csv
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.shared_data import CUSTOMERS, RECEIPTS


@dataclass(frozen=True)
class Reckoning:
    """Lines and money of an export, by local date and by customer id ("" for walk-ins)."""

    lines: dict[str, int]
    amounts: dict[str, Decimal]
    spend: dict[str, Decimal]

    @property
    def total_lines(self) -> int:
        return sum(self.lines.values())

    @property
    def total_amount(self) -> Decimal:
        return sum(self.amounts.values(), Decimal(0))


def reckon(receipts: Path = RECEIPTS) -> Reckoning:
    """Add the export up, row by row."""
    lines: dict[str, int] = defaultdict(int)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    spend: dict[str, Decimal] = defaultdict(Decimal)
    with receipts.open(newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            amount = Decimal(row["line_item_amount"])
            lines[row["transaction_date"]] += 1
            amounts[row["transaction_date"]] += amount
            customer = row["customer_id"]
            spend["" if customer == "0" else customer] += amount
    return Reckoning(dict(lines), dict(amounts), dict(spend))


def customer_ids(customers: Path = CUSTOMERS) -> list[str]:
    """List the ids of the customer master."""
    with customers.open(newline="", encoding="utf-8") as file:
        return [row[0] for row in csv.reader(file) if row]
